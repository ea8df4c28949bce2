import type { Queryable } from '@sluice/pool';
import { type ChunkRecord, findLiveChunkIds } from '@sluice/store';
import type { Attempt } from '../attempt.ts';
import type { Embedders } from '../embedders.ts';
import type { PendingChunk } from './chunk.ts';

/** Chunks that are embedded in one call, so that progress moves within a window. */
const sliceChunks = 128;

/** Gives each chunk its vector, except those that the live version has: they keep theirs. */
export async function embedChunks(
  db: Queryable,
  embedders: Embedders,
  { collection, upload, liveUploadId, signal, progress }: Attempt,
  chunks: readonly PendingChunk[],
): Promise<ChunkRecord[]> {
  const ids = chunks.map((chunk) => chunk.id);
  const live = liveUploadId ? await findLiveChunkIds(db, collection.id, upload.documentId, ids) : new Set();
  const embedder = embedders.for(collection);
  const records: ChunkRecord[] = [];
  for (let start = 0; start < chunks.length; start += sliceChunks) {
    const slice = chunks.slice(start, start + sliceChunks);
    const fresh = slice.filter((chunk) => !live.has(chunk.id));
    const vectors = await embedder.embed(
      fresh.map((chunk) => chunk.embeddedText),
      { purpose: 'document', signal, tokens: fresh.map((chunk) => chunk.tokens) },
    );
    const vectorOf = new Map(fresh.map((chunk, i) => [chunk.id, vectors[i] as Float32Array]));
    records.push(...slice.map((chunk) => ({ ...chunk, embedding: vectorOf.get(chunk.id) ?? null })));
    progress.set({ chunksDone: progress.done + slice.length });
  }
  return records;
}
