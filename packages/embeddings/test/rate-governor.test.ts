import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateGovernor } from '../src/index.ts';

test('no window holds more requests or tokens than allowed, and the order is kept', async () => {
  const limits = { requestsPerMinute: 4, tokensPerMinute: 100, windowMs: 40 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 14 }),
      async (costs) => {
        const governor = createRateGovernor(limits);
        const sent: { at: number; tokens: number; index: number }[] = [];
        await Promise.all(
          costs.map(async (tokens, index) => {
            await governor.acquire(tokens);
            sent.push({ at: performance.now(), tokens, index });
          }),
        );
        expect(sent.map(({ index }) => index)).toEqual(costs.map((_, index) => index));
        for (const { at } of sent) {
          // What is seen here happens a little after the decision, hence a window a little shorter.
          const window = sent.filter((each) => each.at >= at && each.at < at + limits.windowMs - 10);
          expect(window.length).toBeLessThanOrEqual(limits.requestsPerMinute);
          expect(window.reduce((sum, each) => sum + each.tokens, 0)).toBeLessThanOrEqual(
            limits.tokensPerMinute,
          );
        }
      },
    ),
    { numRuns: 15 },
  );
});

test('a request larger than the limit passes once a whole window is free', async () => {
  const governor = createRateGovernor({ tokensPerMinute: 10, windowMs: 60 });
  const start = performance.now();
  await governor.acquire(1);
  await governor.acquire(1000);
  expect(performance.now() - start).toBeGreaterThanOrEqual(59);
});

test('without limits nobody waits, but for a pause', async () => {
  const governor = createRateGovernor();
  const start = performance.now();
  for (let count = 0; count < 1000; count += 1) await governor.acquire(1_000_000);
  expect(performance.now() - start).toBeLessThan(1000);
  governor.pause(80);
  const paused = performance.now();
  await governor.acquire(1);
  expect(performance.now() - paused).toBeGreaterThanOrEqual(79);
});

test('who gives up lets the next one through and counts for nothing', async () => {
  const governor = createRateGovernor({ requestsPerMinute: 1, windowMs: 100 });
  const start = performance.now();
  await governor.acquire(1);
  const controller = new AbortController();
  const reason = new Error('gone');
  const given = governor.acquire(1, controller.signal);
  const next = governor.acquire(1);
  controller.abort(reason);
  await expect(given).rejects.toBe(reason);
  await next;
  expect(performance.now() - start).toBeLessThan(190);
});
