/** Something that a search has found, the same by its id wherever it comes up. */
export interface Ranked {
  id: string;
  score: number;
  distance: number;
}

// Of Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009.
const rankConstant = 60;

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
        distance: Math.min(hit.distance, before?.distance ?? hit.distance),
      });
    }
  }
  return [...fused.values()].sort(
    (a, b) => b.score - a.score || a.distance - b.distance || (a.id < b.id ? -1 : 1),
  );
}

/** Nearest first. The distances have to be of one kind. */
export function mergeByDistance<T extends Ranked>(lists: readonly (readonly T[])[]): T[] {
  if (lists.length === 1) return [...(lists[0] as readonly T[])];
  return lists.flat().sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1));
}
