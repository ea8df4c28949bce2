import type { UploadBody } from '@sluice/contract';
import { RequestError } from '../client/problem.ts';
import { CliError, exitCodes } from '../errors.ts';
import type { SourceFile } from './find-files.ts';

/** What became of one file. */
export type Outcome =
  | {
      kind: 'accepted' | 'ready' | 'superseded' | 'cancelled' | 'failed';
      file: SourceFile;
      upload: UploadBody;
    }
  /** Not taken by the server, or not followed to its end. */
  | { kind: 'refused' | 'unreachable'; file: SourceFile; error: CliError }
  /** Not tried: the server was gone before. */
  | { kind: 'skipped'; file: SourceFile };

const failures: ReadonlySet<Outcome['kind']> = new Set(['failed', 'cancelled', 'refused', 'skipped']);

export function outcomeOf(file: SourceFile, upload: UploadBody): Outcome {
  const kind = upload.state === 'queued' || upload.state === 'processing' ? 'accepted' : upload.state;
  return { kind, file, upload };
}

export function failureOf(file: SourceFile, error: unknown): Outcome {
  if (!(error instanceof CliError)) throw error;
  return { kind: error.code === 'server_unreachable' ? 'unreachable' : 'refused', file, error };
}

/**
 * 3 as soon as the server could not be reached, 1 when a file failed or somebody cancelled it; replaced by a newer version
 * is no failure.
 */
export function exitCodeOf(outcomes: readonly Outcome[]): number {
  if (outcomes.some(({ kind }) => kind === 'unreachable')) return exitCodes.unreachable;
  const failed = outcomes.some(({ kind }) => failures.has(kind));
  return failed ? exitCodes.failed : exitCodes.ok;
}

/** One line of `--json`. */
export function outcomeJson(outcome: Outcome): string {
  const { kind, file } = outcome;
  const line: Record<string, unknown> = { file: file.label, outcome: kind };
  if ('upload' in outcome) line.upload = outcome.upload;
  if ('error' in outcome) {
    const { error } = outcome;
    line.error = (error instanceof RequestError && error.problem) || {
      code: error.code,
      detail: error.message,
    };
  }
  return JSON.stringify(line);
}

/** What was wrong and what to do, a line each; empty for what went well. */
export function explainOutcome(outcome: Outcome): string[] {
  if (outcome.kind === 'skipped') return ['not sent, because the server could not be reached'];
  if ('error' in outcome) return [outcome.error.message, ...outcome.error.advice];
  const { error } = outcome.upload;
  if (outcome.kind !== 'failed' || !error) return [];
  const advice = error.retryable
    ? 'The cause may pass: upload the file again later.'
    : 'The same file will fail again: change it first.';
  return [`${error.message} [${error.code}, while ${error.stage}]`, advice];
}
