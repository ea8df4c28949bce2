import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RateGovernor, RateGovernorOptions } from '../src/index.ts';
import { expectWithinLimits, observeTurns } from './support/observed-turns.ts';

export interface GovernorBench extends AsyncDisposable {
  /** One that shares nothing with those made before. */
  create(options: RateGovernorOptions): RateGovernor;
}

/** What every governor promises, whether it knows of others or not. */
export function rateGovernorContract(title: string, open: () => Promise<GovernorBench>): void {
  describe(title, () => {
    let bench: GovernorBench;
    beforeAll(async () => {
      bench = await open();
    });
    afterAll(() => bench[Symbol.asyncDispose]());

    test('no window holds more requests or tokens than allowed, and the order is kept', async () => {
      const limits = { requestsPerMinute: 4, tokensPerMinute: 100, windowMs: 40 };
      const costs = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 14 });
      const property = fc.asyncProperty(costs, async (each) => {
        const turns = await observeTurns(bench.create(limits), each);
        expect(turns.map(({ index }) => index)).toEqual(each.map((_, index) => index));
        expectWithinLimits(turns, limits);
      });
      await fc.assert(property, { numRuns: 15 });
    }, 30_000);

    test('what fits is let through at once', { timeout: 30_000 }, async () => {
      const governor = bench.create({ requestsPerMinute: 10, tokensPerMinute: 100 });
      const start = performance.now();
      await observeTurns(governor, [30, 30, 40]);
      // Whoever waits, waits for a window of a minute.
      expect(performance.now() - start).toBeLessThan(20_000);
    });

    test('a request larger than the limit passes once a whole window is free', async () => {
      const governor = bench.create({ tokensPerMinute: 10, windowMs: 60 });
      const start = performance.now();
      await governor.acquire(1);
      await governor.acquire(1000);
      expect(performance.now() - start).toBeGreaterThanOrEqual(59);
    });

    test('without limits nobody waits, but for a pause', { timeout: 30_000 }, async () => {
      const governor = bench.create({});
      const start = performance.now();
      for (let count = 0; count < 50; count += 1) await governor.acquire(1_000_000);
      expect(performance.now() - start).toBeLessThan(20_000);
      const paused = performance.now();
      governor.pause(80);
      await governor.acquire(1);
      expect(performance.now() - paused).toBeGreaterThanOrEqual(79);
    });

    test('a shorter pause does not end a longer one', async () => {
      const governor = bench.create({});
      const paused = performance.now();
      governor.pause(150);
      governor.pause(10);
      await governor.acquire(1);
      expect(performance.now() - paused).toBeGreaterThanOrEqual(149);
    });

    test('who gives up lets the next one through and counts for nothing', async () => {
      const governor = bench.create({ requestsPerMinute: 1, windowMs: 2_000 });
      const start = performance.now();
      await governor.acquire(1);
      const controller = new AbortController();
      const reason = new Error('gone');
      const given = governor.acquire(1, controller.signal);
      const next = governor.acquire(1);
      controller.abort(reason);
      await expect(given).rejects.toBe(reason);
      await next;
      expect(performance.now() - start).toBeLessThan(3_900);
    });
  });
}
