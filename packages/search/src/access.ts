import type { Filter } from '@sluice/contract';
import type { Queryable } from '@sluice/pool';
import { type Access, type Collection, estimateMatches, type MatchEstimate } from '@sluice/store';
import { createSingleFlight } from './single-flight.ts';
import { withSignal } from './with-signal.ts';

// A vector index that a filter applies to after the fact gives up after so many chunks (hnsw.max_scan_tuples). Estimates err, so
// that it is asked only where a quarter of them would be enough.
const affordableVisits = 20_000 / 4;
// So many are compared about as fast as the index finds ten of them among many others.
const alwaysScanned = 2_000;

const keptMs = 60_000;
const maxKept = 2_000;

export interface AccessChoice {
  access: Access;
  /** Only with a filter and a vector index. */
  estimate?: MatchEstimate;
}

export interface AccessChooser {
  choose(
    collection: Collection,
    filter: Filter | undefined,
    k: number,
    signal?: AbortSignal,
  ): Promise<AccessChoice>;
  /** The index has found fewer than were asked for: there are fewer, or the estimate was wrong. */
  underReturned(collection: Collection, filter: Filter): void;
}

function accessFor({ matches, chunks }: MatchEstimate, k: number): Access {
  return matches <= Math.max(alwaysScanned, (k * chunks) / affordableVisits) ? 'scan' : 'index';
}

/**
 * Whether a search goes by the vector index, or compares all that its filter lets through. Estimates are kept for a minute by
 * collection and filter: both ways give the right answer, and one of them sooner.
 */
export function createAccessChooser(db: Queryable): AccessChooser {
  const flights = createSingleFlight<MatchEstimate>();
  const kept = new Map<string, { estimate: MatchEstimate; until: number }>();
  const keyOf = ({ id }: Collection, filter: Filter) => `${id} ${JSON.stringify(filter)}`;

  function keep(key: string, estimate: MatchEstimate): void {
    kept.delete(key);
    for (const oldest of kept.keys()) {
      if (kept.size < maxKept) break;
      kept.delete(oldest);
    }
    kept.set(key, { estimate, until: performance.now() + keptMs });
  }

  async function estimateOf(
    collection: Collection,
    filter: Filter,
    signal: AbortSignal | undefined,
  ): Promise<MatchEstimate> {
    const key = keyOf(collection, filter);
    const known = kept.get(key);
    if (known && known.until > performance.now()) return known.estimate;
    const estimated = async (shared: AbortSignal) => {
      const estimate = await estimateMatches(withSignal(db, shared), collection, filter);
      keep(key, estimate);
      return estimate;
    };
    const { value } = await flights(key, estimated, signal);
    return value;
  }

  return {
    async choose(collection, filter, k, signal) {
      if (collection.vectorIndex !== 'hnsw') return { access: 'scan' };
      if (!filter) return { access: 'index' };
      const estimate = await estimateOf(collection, filter, signal);
      return { access: accessFor(estimate, k), estimate };
    },
    underReturned(collection, filter) {
      const key = keyOf(collection, filter);
      const known = kept.get(key);
      if (known) keep(key, { ...known.estimate, matches: 0 });
    },
  };
}
