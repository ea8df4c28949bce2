import type { Chunk, Extraction, Extractor, Format } from '@sluice/extraction';
import { type ChunkRecord, chunkId } from '@sluice/store';
import type { Attempt } from '../attempt.ts';
import type { Stopwatch } from '../stopwatch.ts';

export type PendingChunk = Omit<ChunkRecord, 'embedding'> & {
  /** What is embedded: the chunk below its headings, since a passage often names its subject only there. */
  embeddedText: string;
};

export interface ChunkWindow {
  chunks: PendingChunk[];
  /** Place of its first chunk in the document. */
  first: number;
  /** The document ends with this window. */
  last: boolean;
}

/** Extraction and chunking, in a worker thread; starts when windows are taken. */
export function extractUpload(
  extractor: Pick<Extractor, 'extract'>,
  { upload, signal }: Attempt,
  path: string,
): Extraction {
  return extractor.extract({
    path,
    format: upload.format as Format,
    fileName: upload.fileName,
    chunking: { maxTokens: upload.chunkMaxTokens, overlapTokens: upload.chunkOverlapTokens },
    signal,
  });
}

function identify(documentId: string, occurrences: Map<string, number>, chunk: Chunk): PendingChunk {
  const embeddedText = [...chunk.headingPath, chunk.text].join('\n');
  const first = chunkId(documentId, embeddedText, 0);
  const occurrence = occurrences.get(first) ?? 0;
  occurrences.set(first, occurrence + 1);
  return {
    ...chunk,
    id: occurrence === 0 ? first : chunkId(documentId, embeddedText, occurrence),
    embeddedText,
  };
}

/** Groups batches into windows of `size` chunks; only the last may be shorter. */
export async function* chunkWindows(
  documentId: string,
  batches: AsyncIterable<Chunk[]>,
  size: number,
  stopwatch: Stopwatch,
): AsyncGenerator<ChunkWindow> {
  const occurrences = new Map<string, number>();
  let pending: PendingChunk[] = [];
  let first = 0;
  for await (const batch of timed(batches, stopwatch)) {
    for (const chunk of batch) {
      // Given out only when there is more, so that the last window can be told.
      if (pending.length === size) {
        yield { chunks: pending, first, last: false };
        first += pending.length;
        pending = [];
      }
      pending.push(identify(documentId, occurrences, chunk));
    }
  }
  yield { chunks: pending, first, last: true };
}

/** Passes on what comes, and counts the time for which it is waited for. */
async function* timed<T>(source: AsyncIterable<T>, stopwatch: Stopwatch): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await stopwatch.measure('extracting', iterator.next());
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
