import type { Chunk } from './chunking/chunk.ts';
import { chunkBlocks } from './chunking/chunker.ts';
import { openDocument } from './read-document.ts';
import type { ExtractionSummary } from './summary.ts';
import { batchSize, type Task } from './threads/messages.ts';

/** Reads a document on the calling thread and hands its chunks over in batches. */
export async function extractDocument(
  { source, format, chunking, limits }: Task,
  deliver: (batch: Chunk[]) => Promise<void>,
  reserve: (bytes: number) => void,
): Promise<ExtractionSummary> {
  const document = await openDocument(source, format, limits, reserve);
  let batch: Chunk[] = [];
  let chunks = 0;
  let characters = 0;
  for await (const chunk of chunkBlocks(document.blocks, chunking)) {
    chunks += 1;
    characters = chunk.charEnd;
    if (batch.push(chunk) < batchSize) continue;
    await deliver(batch);
    batch = [];
  }
  if (batch.length > 0) await deliver(batch);
  const { title, pages, metadata } = document.findings;
  return { format: document.format, title, characters, chunks, pages, metadata };
}
