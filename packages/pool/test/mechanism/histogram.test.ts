import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecentDurations } from '../../src/histogram.ts';
import { FakeClock } from './support/fake-clock.ts';

describe('recent durations', () => {
  test('are all 0 when there was nothing to measure', () => {
    expect(new RecentDurations(new FakeClock()).quantiles()).toEqual({
      count: 0,
      mean: 0,
      p50: 0,
      p95: 0,
      p99: 0,
      max: 0,
    });
  });

  test('have quantiles within one percent of the true ones', () => {
    const durations = fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(durations, (values) => {
        const recent = new RecentDurations(new FakeClock());
        for (const value of values) recent.record(value);
        const sorted = [...values].sort((a, b) => a - b);
        const quantiles = recent.quantiles();
        expect(quantiles.count).toBe(values.length);
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
          ['max', 1],
        ] as const) {
          // Which of two neighbours a quantile falls on is a matter of taste.
          const rank = share * sorted.length;
          const least = sorted[Math.max(0, Math.floor(rank) - 1)] as number;
          const most = sorted[Math.min(sorted.length, Math.ceil(rank) + 1) - 1] as number;
          expect(quantiles[name]).toBeGreaterThanOrEqual(least * 0.99 - 0.001);
          expect(quantiles[name]).toBeLessThanOrEqual(most * 1.01 + 0.001);
        }
      }),
    );
  });

  test('are of the last one to two windows', async () => {
    const clock = new FakeClock();
    const recent = new RecentDurations(clock, 1_000);
    recent.record(10);
    await clock.advance(999);
    recent.record(20);
    await clock.advance(1);
    recent.record(30);
    expect(recent.quantiles().count).toBe(3);
    await clock.advance(999);
    expect(recent.quantiles().count).toBe(3);
    await clock.advance(1);
    expect(recent.quantiles()).toMatchObject({ count: 1, p50: expect.closeTo(30, 0) });
    await clock.advance(1_000);
    expect(recent.quantiles().count).toBe(0);
  });

  test('forget everything in a silence of two windows', async () => {
    const clock = new FakeClock();
    const recent = new RecentDurations(clock, 1_000);
    recent.record(10);
    await clock.advance(2_000);
    expect(recent.quantiles().count).toBe(0);
    recent.record(10);
    expect(recent.quantiles().count).toBe(1);
  });

  test('count what took no time, and what took longer than can be told apart', () => {
    const recent = new RecentDurations(new FakeClock());
    recent.record(0);
    recent.record(-0.5);
    recent.record(5 * 3_600_000);
    const { count, max } = recent.quantiles();
    expect(count).toBe(3);
    expect(max).toBeGreaterThanOrEqual(3_590_000);
  });
});
