import type { Extractor } from '@sluice/extraction';
import type { Pool } from '@sluice/pool';
import type { ProgressChannel } from '@sluice/progress';
import type { Claim, Collection, UploadStage } from '@sluice/store';
import type { Embedders } from './embedders.ts';
import type { ProgressReporter } from './progress.ts';
import type { Publisher } from './publisher.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface IngestionDependencies {
  pool: Pool;
  /** Definition of a collection, or undefined when it is gone. */
  collectionById: (id: number) => Promise<Collection | undefined>;
  embedders: Embedders;
  extractor: Pick<Extractor, 'extract'>;
  publisher: Publisher;
  /** Chunks of one document that are embedded and written in one step. */
  windowChunks: number;
  progressChannel: ProgressChannel;
  /** Least time between two announcements of an upload's progress. Default: the channel's pace. */
  progressIntervalMs?: number;
  /** Told how each attempt has ended. Must not throw. */
  onAttempt?(report: AttemptReport): void;
}

/**
 * - `ready`, `superseded`, `lost`: as of `PublishOutcome`.
 * - `failed`: for good. `retried`, `put_off`: another attempt follows.
 * - `interrupted`: the worker stops, or has lost the job.
 */
export type AttemptOutcome =
  | 'ready'
  | 'superseded'
  | 'lost'
  | 'failed'
  | 'retried'
  | 'put_off'
  | 'interrupted';

export interface AttemptReport {
  outcome: AttemptOutcome;
  /** Of what went wrong. */
  code: string | undefined;
  stageMs: Partial<Record<UploadStage, number>>;
  /** That were done when it ended. */
  chunks: number;
  /** Of the file. */
  bytes: number;
}

/** What the steps of one attempt at one upload share. */
export interface Attempt extends Claim {
  collection: Collection;
  signal: AbortSignal;
  progress: ProgressReporter;
  stopwatch: Stopwatch;
  /** Tells that the upload is somebody else's now, or gone: ends the attempt. */
  lose(): void;
}
