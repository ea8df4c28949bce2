/** What one run of the model may hold: it cannot be cancelled, and its memory grows with the square of the longest text. */
const limits = { texts: 32, tokens: 4_096 };

/**
 * Texts of about the same length go together, since all of a run are padded to its longest.
 *
 * @param lengths of all texts, in tokens
 * @returns indices of the texts of each run, the longest texts first
 */
export function planPasses(lengths: readonly number[]): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[b]! - lengths[a]!);
  const passes: number[][] = [];
  let room = 0;
  for (const index of order) {
    if (room === 0) {
      passes.push([]);
      room = Math.max(1, Math.min(limits.texts, Math.floor(limits.tokens / lengths[index]!)));
    }
    passes.at(-1)!.push(index);
    room -= 1;
  }
  return passes;
}
