import { describe, expect, test } from 'vitest';
import { createPoolUnderTest, refused, served, waiting } from './support/pool-under-test.ts';

const down = new Error('connection refused');

describe('a side that cannot be reached', () => {
  test('refuses all waiters with the last error when nothing is open', async () => {
    const { resources, pool, borrowMany } = createPoolUnderTest({ core: 3, max: 6, maxOpening: 1 });
    resources.failure = down;
    const borrowers = await borrowMany(20);
    expect(refused(borrowers)).toBe(20);
    expect(borrowers[19]?.error).toEqual({ unavailable: down });
    expect(resources.begun).toBe(1);
    expect(pool.counts()).toEqual({ open: 0, idle: 0, used: 0, opening: 0, closing: 0, waiting: 0 });
  });

  test('is down until the next attempt, and refuses newcomers without one meanwhile', async () => {
    const { clock, resources, pool, borrow } = createPoolUnderTest({ random: () => 0 });
    resources.failure = down;
    await borrow();
    expect([pool.isDown(), pool.isFailing(), pool.isProbing(), pool.retryInMs()]).toEqual([
      true,
      true,
      true,
      25,
    ]);
    expect((await borrow()).error).toEqual({ unavailable: down });
    await clock.advance(24);
    await borrow();
    expect(resources.begun).toBe(1);
    await clock.advance(1);
    expect([pool.isDown(), pool.retryInMs()]).toEqual([false, 0]);
    await borrow();
    expect(resources.begun).toBe(2);
    expect(pool.isDown()).toBe(true);
  });

  test('the wait between attempts doubles up to the longest, with jitter of up to a half', async () => {
    const draws = [0, 0.999, 0.5, 0.25, 0.75, 0, 0.999, 0.5, 0, 0.999];
    let drawn = 0;
    const { clock, resources, pool } = createPoolUnderTest({
      random: () => draws[drawn++ % draws.length] as number,
    });
    resources.failure = down;
    pool.keepOpen(1);
    await clock.advance(8_000);
    const waits = resources.begunAt.slice(1, 11).map((at, i) => at - (resources.begunAt[i] as number));
    const steps = [50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000];
    waits.forEach((wait, i) => {
      expect(wait).toBeCloseTo((steps[i] as number) * (0.5 + (draws[i] as number) / 2), 6);
    });
    expect(new Set(waits.slice(5)).size).toBeGreaterThan(2);
  });

  test('openings that fail together are one failed attempt', async () => {
    const { resources, pool, askMany, settled } = createPoolUnderTest({ core: 4, max: 4, random: () => 0 });
    resources.openMs = undefined;
    const borrowers = askMany(4);
    for (const opening of resources.openings) opening.fail(down);
    await settled();
    expect([refused(borrowers), pool.retryInMs()]).toEqual([4, 25]);
  });

  test('one attempt at a time is made while it fails', async () => {
    const { clock, resources, pool, askMany } = createPoolUnderTest({ core: 8, max: 8, maxOpening: 4 });
    resources.failure = down;
    pool.keepOpen(8);
    await clock.advance(1);
    resources.openMs = 300;
    let most = 0;
    resources.onOpen = () => {
      most = Math.max(most, resources.openings.size);
    };
    for (let i = 0; i < 20; i += 1) {
      askMany(3);
      await clock.advance(500);
    }
    expect(most).toBe(1);
    expect(resources.begun).toBeGreaterThan(8);
  });

  test('newcomers wait for the attempt that is under way', async () => {
    const { clock, resources, pool, borrow } = createPoolUnderTest();
    resources.failure = down;
    await borrow();
    await clock.advance(50);
    resources.openMs = 100;
    const [first, second] = [await borrow(), await borrow()];
    expect([first.outcome, second.outcome, pool.isDown(), pool.isProbing()]).toEqual([
      'waiting',
      'waiting',
      false,
      true,
    ]);
    await clock.advance(100);
    expect(refused([first, second])).toBe(2);
  });

  test('recovers with the first opening that succeeds, and opens as many as are wanted again', async () => {
    const { clock, resources, pool, borrow, borrowMany } = createPoolUnderTest({ core: 4, max: 4 });
    resources.failure = down;
    for (let i = 0; i < 6; i += 1) {
      await borrow();
      await clock.advance(1_000);
    }
    resources.failure = undefined;
    const borrowers = await borrowMany(4);
    expect(served(borrowers)).toBe(4);
    expect([pool.isFailing(), pool.isDown(), pool.isProbing(), pool.retryInMs()]).toEqual([
      false,
      false,
      false,
      0,
    ]);
    // The backoff starts anew as well.
    for (const borrower of borrowers) borrower.discard();
    resources.failure = down;
    await borrow();
    expect(pool.retryInMs()).toBeLessThanOrEqual(50);
  });

  test('failures do not use up the capacity of the pool', async () => {
    const { clock, resources, pool, borrow, borrowMany } = createPoolUnderTest({ core: 3, max: 5 });
    resources.failure = down;
    for (let i = 0; i < 100; i += 1) {
      await borrow();
      await clock.advance(1_000);
    }
    resources.failure = undefined;
    const borrowers = await borrowMany(5);
    await clock.advance(100);
    expect(served(borrowers)).toBe(5);
    expect(pool.counts()).toMatchObject({ open: 5, opening: 0, closing: 0 });
  });
});

describe('a side that fails while some are open', () => {
  test('those who wait stay in line, and are served by what is given back', async () => {
    const { clock, resources, pool, borrow, askMany } = createPoolUnderTest({ core: 3, max: 3 });
    const holder = await borrow();
    resources.failure = down;
    const line = askMany(2);
    await clock.advance(5_000);
    expect(waiting(line)).toBe(2);
    expect([pool.isFailing(), pool.isDown(), pool.isProbing()]).toEqual([true, false, false]);
    holder.release();
    expect(served(line)).toBe(1);
    line[0]?.release();
    expect(served(line)).toBe(2);
  });

  test('a failed opening refuses nobody while another one is under way', async () => {
    const { resources, askMany, settled } = createPoolUnderTest({ core: 2, max: 2 });
    resources.openMs = undefined;
    const borrowers = askMany(2);
    const [first, second] = resources.openings;
    first?.fail(down);
    await settled();
    expect(waiting(borrowers)).toBe(2);
    second?.succeed();
    await settled();
    expect(served(borrowers)).toBe(1);
  });

  test('when the last one in use is lost, those who wait are told by the next attempt', async () => {
    const { clock, resources, borrow, askMany } = createPoolUnderTest({ core: 2, max: 2 });
    const holder = await borrow();
    resources.failure = down;
    const line = askMany(2);
    await clock.advance(100);
    holder.discard('connection lost');
    await clock.advance(1_000);
    expect(refused(line)).toBe(2);
  });

  test('an outage that ends while others are waiting ends for all of them', async () => {
    const { clock, resources, borrow, askMany } = createPoolUnderTest({ core: 4, max: 4 });
    await borrow();
    resources.failure = down;
    const line = askMany(3);
    await clock.advance(3_000);
    resources.failure = undefined;
    await clock.advance(1_000);
    expect(served(line)).toBe(3);
  });
});
