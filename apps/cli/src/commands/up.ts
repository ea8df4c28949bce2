import { Command } from 'commander';
import { integerBetween } from './client-options.ts';

export function upCommand(): Command {
  return new Command('up')
    .summary('start everything and serve until Ctrl-C')
    .description(
      'Migrates the database, then runs a gateway and workers as processes of their own.\n' +
        'Without DATABASE_URL it starts an embedded Postgres, with its data in SLUICE_DATA_DIR (default .sluice).',
    )
    .option('--workers <n>', 'worker processes to run', integerBetween(1, 64), 1)
    .addHelpText(
      'after',
      `
Examples:
  $ sluice up
  $ PORT=3001 SLUICE_DATA_DIR=/var/lib/sluice sluice up
  $ DATABASE_URL=postgresql://localhost/sluice REDIS_URL=redis://localhost sluice up --workers 2

Exit codes: 0 stopped as asked, 1 could not start or broke down, 2 wrong option or environment variable.`,
    )
    .action(async (options: { workers: number }) => {
      const { runUp } = await import('../up/run-up.ts');
      process.exit(await runUp(process.env, options));
    });
}
