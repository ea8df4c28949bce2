import type { UploadBody } from '@sluice/contract';
import type { Client } from '../client/client.ts';
import type { SourceFile } from './find-files.ts';
import { failureOf, type Outcome, outcomeOf } from './outcome.ts';
import { type UploadFields, uploadFile } from './upload-file.ts';

/** Shows how it goes. One for a terminal, one for plain lines, one for programs. */
export interface Reporter {
  started(file: SourceFile): void;
  sent(file: SourceFile, bytes: number): void;
  status(file: SourceFile, upload: UploadBody): void;
  done(outcome: Outcome): void;
  finished(outcomes: readonly Outcome[]): void;
}

export interface UploadAllOptions extends UploadFields {
  wait: boolean;
  /** Files under way at once, from the first byte to the final state. */
  concurrency: number;
}

/** Uploads the files, several at once. When the server is gone the rest is skipped. Outcomes in the order of `files`. */
export async function uploadAll(
  client: Client,
  files: readonly SourceFile[],
  { concurrency, ...options }: UploadAllOptions,
  reporter: Reporter,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = files.entries();
  let gone = false;

  async function one(file: SourceFile): Promise<Outcome> {
    if (gone) return { kind: 'skipped', file };
    reporter.started(file);
    try {
      const upload = await uploadFile(client, file, options, {
        onSent: (bytes) => reporter.sent(file, bytes),
        onStatus: (status) => reporter.status(file, status),
      });
      return outcomeOf(file, upload);
    } catch (error) {
      return failureOf(file, error);
    }
  }
  async function lane(): Promise<void> {
    // All lanes share one iterator: each takes the next file that nobody has taken.
    for (const [index, file] of left) {
      const outcome = await one(file);
      if (outcome.kind === 'unreachable') gone = true;
      outcomes[index] = outcome;
      reporter.done(outcome);
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, files.length) }, lane));
  reporter.finished(outcomes);
  return outcomes;
}
