import type { ExtractionSummary } from '@sluice/extraction';
import type { Lane, Transaction } from '@sluice/pool';
import {
  bumpGeneration,
  type ChunkRecord,
  type Collection,
  copyChunks,
  type DocumentChunks,
  goLive,
  keepChunks,
  lockForPublish,
  moveStagedChunks,
  type PublishLock,
  recordStages,
  supersede,
  type Upload,
} from '@sluice/store';
import { IngestionError } from './errors.ts';
import { inPieces, type Pace } from './write-throttle.ts';

/** `lost`: deleted, cancelled, or another worker has it; nothing was written. */
export type PublishOutcome = 'ready' | 'superseded' | 'lost';

/** One version of a document that is ready to be made live. */
export interface Publication {
  uploadId: string;
  documentId: string;
  fence: number;
  /** Of the document when the work on this version began: which chunks were left out as known depends on it. */
  liveUploadId: string | null;
  metadata: Record<string, unknown>;
  summary: Pick<ExtractionSummary, 'characters' | 'chunks' | 'title'>;
  /** Time by stage before it was handed over, in ms, and when that was, by `performance.now()`. */
  stageMs: NonNullable<Upload['stageMs']>;
  handedOverAt: number;
  /** All chunks; undefined when they lie staged. */
  direct: readonly ChunkRecord[] | undefined;
  /** Told after each piece of staged chunks: that of a large document takes minutes, and is to be seen to get on. */
  onPiece?(): void;
}

function changed(): IngestionError {
  return new IngestionError(
    'document_changed',
    'another version of the document went live in the meantime, or staged work was lost: the work begins again',
  );
}

// So many take an HNSW index seconds, and half a minute at worst.
const largestPiece = 5_000;

type Locked = Publication & { lock: PublishLock };

/** Of all their chunks, counted from the first document's first, those from `from` to before `to`. */
function cut(documents: readonly DocumentChunks[], from: number, to: number): DocumentChunks[] {
  let before = 0;
  return documents.flatMap((document) => {
    const chunks = document.chunks.slice(Math.max(0, from - before), Math.max(0, to - before));
    before += document.chunks.length;
    return chunks.length > 0 ? [{ ...document, chunks }] : [];
  });
}

async function writeChunks(
  transaction: Transaction,
  collection: Collection,
  live: Locked[],
  pace: Pace,
): Promise<void> {
  const whole = live.flatMap(({ documentId, metadata, direct, liveUploadId }) =>
    direct ? [{ documentId, metadata, chunks: direct, replaces: liveUploadId !== null }] : [],
  );
  const replacing = whole.filter(({ replaces }) => replaces);
  if (replacing.length > 0) await keepChunks(transaction, collection, replacing);
  const added = whole.map((document) => {
    return { ...document, chunks: document.chunks.filter(({ embedding }) => embedding) };
  });
  const count = added.reduce((sum, { chunks }) => sum + chunks.length, 0);
  await inPieces(count, pace, (from, to) => copyChunks(transaction, collection, cut(added, from, to)));
  for (const { documentId, uploadId, summary, direct, onPiece } of live) {
    if (direct) continue;
    const place = { documentId, uploadId, total: summary.chunks };
    const moved = await moveStagedChunks(transaction, collection, place, (total, move) => {
      async function movePiece(from: number, to: number): Promise<void> {
        await move(from, to);
        onPiece?.();
      }
      return inPieces(total, pace, movePiece, largestPiece);
    });
    if (!moved) throw changed();
  }
}

/** Up to now: what is left is the commit. */
function stagesOf({ stageMs, handedOverAt }: Publication): Publication['stageMs'] {
  const publishing = (stageMs.publishing ?? 0) + performance.now() - handedOverAt;
  return { ...stageMs, publishing: Math.round(publishing) };
}

async function publishLocked(
  transaction: Transaction,
  collection: Collection,
  publications: readonly Publication[],
  pace: Pace,
): Promise<(PublishOutcome | IngestionError)[]> {
  const locks = await lockForPublish(transaction, collection.id, publications);
  const live: Locked[] = [];
  const outdated: string[] = [];
  const outcomes = publications.map((publication) => {
    const lock = locks.get(publication.uploadId);
    if (!lock) return 'lost';
    if (lock.liveSequence > lock.sequence) {
      outdated.push(publication.uploadId);
      return 'superseded';
    }
    if (lock.liveUploadId !== publication.liveUploadId) return changed();
    live.push({ ...publication, lock });
    return 'ready';
  });
  if (outdated.length > 0) await supersede(transaction, outdated);
  if (live.length === 0) return outcomes;
  await goLive(
    transaction,
    live.map(({ uploadId, summary }) => ({ uploadId, ...summary })),
  );
  await writeChunks(transaction, collection, live, pace);
  await recordStages(
    transaction,
    live.map((version) => ({ uploadId: version.uploadId, stageMs: stagesOf(version) })),
  );
  await bumpGeneration(transaction, collection.id);
  return outcomes;
}

/**
 * ONE transaction makes these versions live, of as many documents: the uploads' rows are locked and their fences checked,
 * chunks are written, those that are gone are dropped, the documents switch over, the uploads are final, the collection's
 * generation goes up. Returns what became of each, in order; an error stands for a version that has to begin again.
 */
export function publishTogether(
  db: Lane,
  collection: Collection,
  publications: readonly Publication[],
  pace: Pace,
): Promise<(PublishOutcome | IngestionError)[]> {
  return db.transaction((transaction) => publishLocked(transaction, collection, publications, pace));
}
