import { Command } from 'commander';
import { print } from '../terminal.ts';

async function migrateOnce(): Promise<void> {
  const { openDatabase } = await import('../database.ts');
  const { runMigrations } = await import('../run-migrations.ts');
  const { config, embedded } = await openDatabase(process.env);
  try {
    const applied = await runMigrations(config);
    if (applied.length === 0) print('The database is up to date: nothing to apply.');
    else print(`Applied ${applied.length} migration${applied.length > 1 ? 's' : ''}: ${applied.join(', ')}.`);
  } finally {
    await embedded?.stop();
  }
}

export function migrateCommand(): Command {
  return new Command('migrate')
    .summary('bring the database to the newest version')
    .description(
      'Applies the migrations that are missing and prints their numbers. Safe to run from several places at once.\n' +
        'Works on DATABASE_URL, or on the embedded Postgres in SLUICE_DATA_DIR when that is not set.',
    )
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgresql://localhost/sluice sluice migrate')
    .action(migrateOnce);
}
