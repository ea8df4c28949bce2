import type { Lane } from '@sluice/pool';
import { findLiveChunkIds, findStagedChunks, stageChunks } from '@sluice/store';
import type { Attempt } from '../attempt.ts';
import type { Embedders } from '../embedders.ts';
import type { PendingChunk } from './chunk.ts';
import { embedChunks } from './embed.ts';

/** Which of these chunks the live version has. */
export async function findKnown(
  db: Lane,
  { collection, upload, liveUploadId }: Attempt,
  chunks: readonly PendingChunk[],
): Promise<ReadonlySet<string>> {
  if (!liveUploadId) return new Set();
  const ids = chunks.map(({ id }) => id);
  return findLiveChunkIds(db, collection.id, upload.documentId, ids);
}

/** Those that no earlier attempt has staged as they are now. */
async function findMissing(
  db: Lane,
  { upload }: Attempt,
  chunks: readonly PendingChunk[],
  live: ReadonlySet<string>,
): Promise<readonly PendingChunk[]> {
  const places = { from: chunks[0]?.ordinal ?? 0, to: chunks.at(-1)?.ordinal ?? -1 };
  const staged = new Map(
    (await findStagedChunks(db, upload.id, places)).map((chunk) => [chunk.ordinal, chunk]),
  );
  return chunks.filter(({ id, ordinal }) => {
    const found = staged.get(ordinal);
    return found?.chunkId !== id || !(found.embedded || live.has(id));
  });
}

/** Embeds a window and keeps it in the database; what an earlier attempt has done of it stays. */
export async function stageWindow(
  db: Lane,
  embedders: Embedders,
  attempt: Attempt,
  chunks: readonly PendingChunk[],
): Promise<void> {
  const { upload, collection, fence, progress, stopwatch } = attempt;
  const live = await findKnown(db, attempt, chunks);
  const missing = fence > 1 ? await findMissing(db, attempt, chunks, live) : chunks;
  progress.set({ chunksDone: progress.done + chunks.length - missing.length });
  if (missing.length === 0) return;
  const records = await embedChunks(embedders, attempt, missing, live);
  const held = await stopwatch.measure(
    'publishing',
    db.transaction((transaction) => stageChunks(transaction, upload.id, fence, records, collection)),
  );
  if (!held) attempt.lose();
}
