import type { Extractor } from '@sluice/extraction';
import type { Pool } from '@sluice/pool';
import type { Collection, Upload } from '@sluice/store';
import type { Embedders } from './embedders.ts';
import type { ProgressReporter } from './progress.ts';

export interface IngestionDependencies {
  pool: Pool;
  /** Definition of a collection, or undefined when it is gone. */
  collectionById: (id: number) => Promise<Collection | undefined>;
  embedders: Embedders;
  extractor: Pick<Extractor, 'extract'>;
  /** Chunks of one document that are embedded and written in one step. */
  windowChunks: number;
  progressIntervalMs?: number;
}

/** What the steps of one attempt at one upload share. */
export interface Attempt {
  upload: Upload;
  collection: Collection;
  fence: number;
  /** Of the document when the attempt began. */
  liveUploadId: string | null;
  signal: AbortSignal;
  progress: ProgressReporter;
}
