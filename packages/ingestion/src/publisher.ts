import { isTransient, type Lane } from '@sluice/pool';
import type { Collection } from '@sluice/store';
import { type Publication, type PublishOutcome, publishTogether } from './publish.ts';
import { unthrottled, type WriteThrottle } from './write-throttle.ts';

/**
 * Publishes small documents together: while one transaction is under way the next ones gather, so that a commit, its fsync and the
 * change of generation are shared by as many as came in the meantime. Nobody waits for company.
 */
export interface Publisher {
  /** Throws what its transaction threw, or `IngestionError` (`document_changed`). */
  publish(collection: Collection, publication: Publication): Promise<PublishOutcome>;
}

export interface PublisherOptions {
  db: Lane;
  /** Default: nothing holds transactions up. */
  throttle?: Pick<WriteThrottle, 'run' | 'share'>;
  /** Chunks in one transaction, beyond the first document's. Default 1 000. */
  maxChunks?: number;
  /** Transactions of one collection at once: an HNSW index is bound by its processors, not by the wire. Default 2. */
  parallel?: number;
}

interface Entry {
  publication: Publication;
  resolve(outcome: PublishOutcome): void;
  reject(error: unknown): void;
}

interface Line {
  collection: Collection;
  waiting: Entry[];
  underWay: number;
}

// Short transactions, so that searches do not have to wait long for a pause.
const maxThrottledChunks = 100;

export function createPublisher({
  db,
  throttle = unthrottled,
  maxChunks = 1_000,
  parallel = 2,
}: PublisherOptions): Publisher {
  const lines = new Map<number, Line>();

  function takeGroup(line: Line): Entry[] {
    const group: Entry[] = [];
    const documents = new Set<string>();
    const most = throttle.share < 1 ? maxThrottledChunks : maxChunks;
    let chunks = 0;
    for (const entry of line.waiting) {
      const { documentId, summary } = entry.publication;
      if (group.length > 0 && chunks + summary.chunks > most) break;
      // Two versions of one document: the second finds the first one live.
      if (documents.has(documentId)) continue;
      group.push(entry);
      documents.add(documentId);
      chunks += summary.chunks;
    }
    line.waiting = line.waiting.filter((entry) => !group.includes(entry));
    return group;
  }

  const publish = (collection: Collection, publications: readonly Publication[]) =>
    throttle.run((pace) => publishTogether(db, collection, publications, pace));

  async function publishAlone({ collection }: Line, entry: Entry): Promise<void> {
    try {
      settle(entry, (await publish(collection, [entry.publication]))[0]);
    } catch (error) {
      entry.reject(error);
    }
  }

  async function publishGroup(line: Line, group: Entry[]): Promise<void> {
    try {
      const outcomes = await publish(
        line.collection,
        group.map(({ publication }) => publication),
      );
      for (const [i, entry] of group.entries()) settle(entry, outcomes[i]);
    } catch (error) {
      if (group.length === 1 || isTransient(error)) for (const entry of group) entry.reject(error);
      // One of them is refused for what it is; the others shall not share its fate.
      else for (const entry of group) await publishAlone(line, entry);
    }
  }

  function pump(line: Line): void {
    while (line.underWay < parallel && line.waiting.length > 0) {
      const group = takeGroup(line);
      line.underWay += 1;
      void publishGroup(line, group).finally(() => {
        line.underWay -= 1;
        if (line.underWay === 0 && line.waiting.length === 0) lines.delete(line.collection.id);
        else pump(line);
      });
    }
  }

  return {
    publish(collection, publication) {
      const line = lines.get(collection.id) ?? { collection, waiting: [], underWay: 0 };
      lines.set(collection.id, line);
      return new Promise((resolve, reject) => {
        line.waiting.push({ publication, resolve, reject });
        pump(line);
      });
    },
  };
}

function settle({ resolve, reject }: Entry, outcome: PublishOutcome | Error | undefined): void {
  if (outcome instanceof Error) reject(outcome);
  else resolve(outcome ?? 'lost');
}
