/** Something that a search has found, the same by its id wherever it comes up. */
export interface Ranked {
  id: string;
  score: number;
  /** Null where it was found without a vector. */
  distance: number | null;
}

// Of Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009.
const rankConstant = 60;

const far = Number.POSITIVE_INFINITY;

function nearer(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function compareDistances(a: Ranked, b: Ranked): number {
  return a.distance === b.distance ? 0 : (a.distance ?? far) - (b.distance ?? far);
}

/** Best first, by how well they are placed in each list: the score is the sum of 1 / (60 + place), places counted from 1. */
export function fuse<T extends Ranked>(lists: readonly (readonly T[])[]): T[] {
  const fused = new Map<string, T>();
  for (const list of lists) {
    for (const [place, hit] of list.entries()) {
      const before = fused.get(hit.id);
      const score = (before?.score ?? 0) + 1 / (rankConstant + place + 1);
      fused.set(hit.id, {
        ...hit,
        score,
        distance: nearer(hit.distance, before?.distance ?? null),
      });
    }
  }
  return [...fused.values()].sort(
    (a, b) => b.score - a.score || compareDistances(a, b) || (a.id < b.id ? -1 : 1),
  );
}

/** Nearest first. The distances have to be of one kind. */
export function mergeByDistance<T extends Ranked>(lists: readonly (readonly T[])[]): T[] {
  if (lists.length === 1) return [...(lists[0] as readonly T[])];
  return lists.flat().sort((a, b) => compareDistances(a, b) || (a.id < b.id ? -1 : 1));
}

/** Best first. The scores have to be of one kind. */
export function mergeByScore<T extends Ranked>(lists: readonly (readonly T[])[]): T[] {
  if (lists.length === 1) return [...(lists[0] as readonly T[])];
  return lists.flat().sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
