import type { Metric } from './rounds.ts';

export const recall: Metric = { key: 'recall', title: 'recall@10', better: 'higher' };

/** Share of what exact search finds that was found, over all queries. */
export async function recallOf(
  search: (vector: Float32Array) => Promise<string[]>,
  truth: ReadonlyMap<Float32Array, ReadonlySet<string>>,
): Promise<number> {
  let found = 0;
  let all = 0;
  for (const [vector, ids] of truth) {
    found += (await search(vector)).filter((id) => ids.has(id)).length;
    all += ids.size;
  }
  return found / all;
}

export async function truthOf(
  search: (vector: Float32Array) => Promise<string[]>,
  vectors: readonly Float32Array[],
): Promise<Map<Float32Array, Set<string>>> {
  const truth = new Map<Float32Array, Set<string>>();
  for (const vector of vectors) truth.set(vector, new Set(await search(vector)));
  return truth;
}
