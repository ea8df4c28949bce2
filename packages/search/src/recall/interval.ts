import type { Recall } from '@sluice/store';

// Of the normal distribution, two-sided 95 %.
const z = 1.96;

/** https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval */
function wilson(share: number, trials: number): { low: number; high: number } {
  const scale = 1 + z ** 2 / trials;
  const centre = share + z ** 2 / (2 * trials);
  const half = z * Math.sqrt((share * (1 - share)) / trials + z ** 2 / (4 * trials ** 2));
  // Where all or nothing was found, rounding may put a bound on the wrong side.
  const low = Math.min(share, (centre - half) / scale);
  const high = Math.max(share, (centre + half) / scale);
  return { low: Math.max(0, low), high: Math.min(1, high) };
}

/**
 * Recall with the Wilson interval, from the share that each query found of its `k` nearest. Neighbours of one query are missed
 * together, so that they count for less than as many independent ones: by the design effect, the variance between queries over the one
 * that independent neighbours would have (Kish, Survey Sampling, 1965).
 */
export function recallOf(shares: readonly number[], k: number): Recall {
  const count = shares.length;
  const recall = shares.reduce((sum, share) => sum + share, 0) / count;
  const independent = (recall * (1 - recall)) / k;
  const variance = shares.reduce((sum, share) => sum + (share - recall) ** 2, 0) / Math.max(1, count - 1);
  const designEffect = independent > 0 ? Math.min(k, Math.max(1, variance / independent)) : 1;
  return { recall, ...wilson(recall, (count * k) / designEffect) };
}
