/** A figure over the rounds of one run. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** The nearest-rank quantile; `sorted` ascending, `q` in [0, 1]. NaN when there is nothing. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const rank = Math.ceil(q * sorted.length) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))] ?? Number.NaN;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = Number.isInteger(middle)
    ? ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
    : (sorted[Math.floor(middle)] as number);
  return { median, least: sorted[0] as number, most: sorted.at(-1) as number };
}
