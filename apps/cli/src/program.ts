import { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { doctorCommand } from './commands/doctor.ts';
import { keysCommand } from './commands/keys.ts';
import { migrateCommand } from './commands/migrate.ts';
import { queryCommand } from './commands/query.ts';
import { recallCommand } from './commands/recall.ts';
import { gatewayCommand, workerCommand } from './commands/service.ts';
import { upCommand } from './commands/up.ts';
import { uploadCommand } from './commands/upload.ts';

function inherit(program: Command, command: Command): void {
  // Commander passes these on only to commands that it makes itself.
  command.copyInheritedSettings(program);
  for (const sub of command.commands) sub.copyInheritedSettings(program);
  program.addCommand(command);
}

export function createProgram(): Command {
  const program = new Command('sluice')
    .description('Document ingestion and vector search on your own Postgres.')
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('Run the same command with --help to see how it is used.')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sluice: ')) })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ sluice up                              start everything on this machine
  $ sluice upload report.pdf               add a document
  $ sluice query how long is a bid valid   search
  $ sluice doctor                          what is the matter, and what helps

Settings are environment variables; .env.example lists them all.
Exit codes: 0 success, 1 failure, 2 wrong usage, 3 server not reachable.`,
    );
  for (const command of [
    upCommand(),
    gatewayCommand(),
    workerCommand(),
    migrateCommand(),
    keysCommand(),
    uploadCommand(),
    queryCommand(),
    recallCommand(),
    doctorCommand(),
  ]) {
    inherit(program, command);
  }
  return program;
}
