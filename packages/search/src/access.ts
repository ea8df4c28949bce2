import type { Filter } from '@sluice/contract';
import type { Queryable } from '@sluice/pool';
import { type Access, type Collection, estimateMatches, type MatchEstimate } from '@sluice/store';
import { maxEffort } from './effort.ts';
import { createSingleFlight } from './single-flight.ts';
import { withSignal } from './with-signal.ts';

// A vector index that a filter applies to after the fact gives up after so many chunks (hnsw.max_scan_tuples). Estimates err, so
// that it is asked only where a quarter of them would be enough.
const affordableVisits = 20_000 / 4;
// So many are compared about as fast as the index finds ten of them among many others.
const alwaysScanned = 2_000;
// A candidate of a walk through the graph costs as much as comparing about so many chunks one after the other.
const scannedPerCandidate = 20;

const keptMs = 60_000;
const maxKept = 2_000;

export interface AccessChoice {
  access: Access;
  /** `hnsw.ef_search`, where the vector index is asked. */
  effort: number;
  /** Only with a filter and a vector index. */
  estimate?: MatchEstimate;
}

export interface AccessChooser {
  choose(
    collection: Collection,
    filter: Filter | undefined,
    { k, effort }: { k: number; effort: number },
    signal?: AbortSignal,
  ): Promise<AccessChoice>;
  /** The index has found fewer than were asked for: there are fewer, or the estimate was wrong. */
  underReturned(collection: Collection, filter: Filter): void;
}

/**
 * A filter takes its share of the candidates too, so that with it a walk needs as many more: `effort * chunks / matches` of them. Comparing all
 * that it lets through costs less once `matches` is below what those cost.
 */
function choiceFor(estimate: MatchEstimate, { k, effort }: { k: number; effort: number }): AccessChoice {
  const { matches, chunks } = estimate;
  const cheaperBelow = Math.sqrt(scannedPerCandidate * effort * chunks);
  const scanned = matches <= Math.max(alwaysScanned, (k * chunks) / affordableVisits, cheaperBelow);
  if (scanned) return { access: 'scan', effort, estimate };
  return { access: 'index', effort: Math.min(maxEffort, Math.ceil((effort * chunks) / matches)), estimate };
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
    async choose(collection, filter, asked, signal) {
      const { effort } = asked;
      if (collection.vectorIndex !== 'hnsw') return { access: 'scan', effort };
      if (!filter) return { access: 'index', effort };
      return choiceFor(await estimateOf(collection, filter, signal), asked);
    },
    underReturned(collection, filter) {
      const key = keyOf(collection, filter);
      const known = kept.get(key);
      if (known) keep(key, { ...known.estimate, matches: 0 });
    },
  };
}
