import { expect } from 'vitest';
import type { RateGovernor } from '../../src/index.ts';

/** A turn was decided on somewhere between these two moments, in milliseconds. */
export interface ObservedTurn {
  readonly index: number;
  readonly from: number;
  readonly at: number;
  readonly tokens: number;
}

/** Asks for all at once. Turns are given in order, so each was decided on after the one before was seen. */
export async function observeTurns(
  governor: RateGovernor,
  costs: readonly number[],
): Promise<ObservedTurn[]> {
  const turns: ObservedTurn[] = [];
  let from = performance.now();
  await Promise.all(
    costs.map(async (tokens, index) => {
      await governor.acquire(tokens);
      const at = performance.now();
      turns.push({ index, from, at, tokens });
      from = at;
    }),
  );
  return turns;
}

/** However late each turn was seen: fails only where some window certainly held too much. */
export function expectWithinLimits(
  turns: readonly ObservedTurn[],
  limits: { requestsPerMinute: number; tokensPerMinute: number; windowMs: number },
): void {
  for (const { from } of turns) {
    const window = turns.filter((turn) => turn.from >= from && turn.at < from + limits.windowMs);
    expect(window.length).toBeLessThanOrEqual(limits.requestsPerMinute);
    expect(window.reduce((sum, turn) => sum + turn.tokens, 0)).toBeLessThanOrEqual(limits.tokensPerMinute);
  }
}
