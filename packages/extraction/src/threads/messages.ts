import type { ReaderLimits, Source } from '../block.ts';
import type { Chunk } from '../chunking/chunk.ts';
import type { ChunkingOptions } from '../chunking/chunking-options.ts';
import type { SerializedError } from '../errors.ts';
import type { Format } from '../formats.ts';
import type { ExtractionSummary } from '../summary.ts';

export interface Task {
  source: Source;
  format: Format;
  chunking: ChunkingOptions;
  limits: ReaderLimits;
}

/** How many batches a thread may be ahead of its consumer. */
export const batchWindow = 2;
/** Chunks a batch. */
export const batchSize = 64;

export type ToThread = { type: 'extract'; task: Task } | { type: 'taken' } | { type: 'collect' };

export type FromThread =
  | { type: 'ready' }
  | { type: 'chunks'; chunks: Chunk[] }
  /** So many bytes are allocated but not filled. */
  | { type: 'reserved'; bytes: number }
  /** The garbage is collected, and so many bytes of heap and buffers are left. */
  | { type: 'collected'; bytes: number }
  | { type: 'done'; summary: ExtractionSummary }
  | { type: 'failed'; error: SerializedError };
