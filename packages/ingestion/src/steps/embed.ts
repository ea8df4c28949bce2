import type { ChunkRecord } from '@sluice/store';
import type { Attempt } from '../attempt.ts';
import type { Embedders } from '../embedders.ts';
import type { PendingChunk } from './chunk.ts';

/** Chunks that are embedded in one call, so that progress moves within a window. */
const sliceChunks = 128;

/** Gives each chunk its vector, except those that the live version has: they keep theirs. */
export async function embedChunks(
  embedders: Embedders,
  { collection, signal, progress, stopwatch }: Attempt,
  chunks: readonly PendingChunk[],
  live: ReadonlySet<string>,
): Promise<ChunkRecord[]> {
  const embedder = embedders.for(collection);
  async function embedSlice(slice: readonly PendingChunk[]): Promise<ChunkRecord[]> {
    const fresh = slice.filter(({ id }) => !live.has(id));
    const vectors = await embedder.embed(
      fresh.map(({ embeddedText }) => embeddedText),
      { purpose: 'document', signal, tokens: fresh.map(({ tokens }) => tokens) },
    );
    const vectorOf = new Map(fresh.map(({ id }, i) => [id, vectors[i] as Float32Array]));
    progress.set({ chunksDone: progress.done + slice.length });
    return slice.map((chunk) => ({ ...chunk, embedding: vectorOf.get(chunk.id) ?? null }));
  }
  const slices = [];
  for (let start = 0; start < chunks.length; start += sliceChunks) {
    slices.push(embedSlice(chunks.slice(start, start + sliceChunks)));
  }
  return (await stopwatch.measure('embedding', Promise.all(slices))).flat();
}
