import { ConfigError } from '@sluice/config';
import { CliError, exitCodes } from './errors.ts';
import { note, paintNote } from './terminal.ts';

interface Report {
  message: string;
  advice: readonly string[];
  exitCode: number;
}

// Told by name and not by class, so that a command that needs none of these packages does not load them.
const selfExplaining = new Set(['EmbeddedError', 'StoreError', 'PoolError', 'QueueError']);

function reportOf(error: unknown): Report {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigError) {
    return {
      message: error.message,
      advice: ['Every variable is described in .env.example.'],
      exitCode: exitCodes.usage,
    };
  }
  if (error instanceof Error && selfExplaining.has(error.name)) {
    return { message: error.message, advice: [], exitCode: exitCodes.failed };
  }
  // Not foreseen, so the stack is what helps.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message, advice: [], exitCode: exitCodes.failed };
}

/** Says what went wrong and what to do. Returns the exit code that goes with it. */
export function reportError(error: unknown): number {
  const { message, advice, exitCode } = reportOf(error);
  note(`${paintNote.red('sluice:')} ${message}`);
  for (const line of advice) note(`  ${line}`);
  return exitCode;
}
