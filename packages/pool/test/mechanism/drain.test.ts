import { describe, expect, test } from 'vitest';
import { type FakeClock, promisesSettled } from './support/fake-clock.ts';
import { createPoolUnderTest, refused } from './support/pool-under-test.ts';

const closed = new Error('the pool is closed');

/** When it was done, on the clock of the test. */
function watch(done: Promise<void>, clock: FakeClock): { at: number | undefined } {
  const seen: { at: number | undefined } = { at: undefined };
  void done.then(() => {
    seen.at = clock.now();
  });
  return seen;
}

describe('draining', () => {
  test('closes idle ones at once and is done when they are closed', async () => {
    const { clock, pool, resources, borrowMany } = createPoolUnderTest();
    for (const borrower of await borrowMany(2)) borrower.release();
    resources.closeMs = 30;
    const done = watch(pool.drain(closed), clock);
    expect(pool.counts()).toMatchObject({ open: 0, closing: 2 });
    await clock.advance(29);
    expect(done.at).toBeUndefined();
    await clock.advance(1);
    expect(done.at).toBe(30);
    expect(resources.closed.map(({ reason }) => reason)).toEqual(['drained', 'drained']);
  });

  test('a pool in which nothing was ever opened is drained at once', async () => {
    const { clock, pool } = createPoolUnderTest();
    const done = watch(pool.drain(closed), clock);
    await promisesSettled();
    expect(done.at).toBe(0);
  });

  test('waits for borrowers, and takes nothing from them', async () => {
    const { clock, pool, resources, borrowMany } = createPoolUnderTest();
    const borrowers = await borrowMany(2);
    const done = watch(pool.drain(closed), clock);
    await clock.advance(10_000);
    expect(done.at).toBeUndefined();
    borrowers[0]?.release();
    borrowers[1]?.discard();
    await promisesSettled();
    expect(done.at).toBe(10_000);
    expect(resources.closed).toHaveLength(2);
  });

  test('refuses those who wait, and all who come later', async () => {
    const { clock, pool, borrowMany, askMany, ask } = createPoolUnderTest({ core: 1, max: 1 });
    const [holder] = await borrowMany(1);
    const line = askMany(3);
    const done = watch(pool.drain(closed), clock);
    expect(refused(line)).toBe(3);
    expect(line[2]?.error).toBe(closed);
    expect(ask().error).toBe(closed);
    holder?.release();
    expect(ask().error).toBe(closed);
    await promisesSettled();
    expect(done.at).toBeDefined();
    expect(ask().error).toBe(closed);
  });

  test.each(['succeed', 'fail'] as const)(
    'waits for openings under way, and nothing of them stays when they %s',
    async (end) => {
      const { clock, pool, resources, askMany } = createPoolUnderTest();
      resources.openMs = undefined;
      const line = askMany(2);
      const done = watch(pool.drain(closed), clock);
      expect(refused(line)).toBe(2);
      await clock.advance(5_000);
      expect(done.at).toBeUndefined();
      for (const opening of resources.openings) opening[end]();
      await clock.advance(5_000);
      expect(done.at).toBe(5_000);
      expect(resources.closed).toHaveLength(end === 'succeed' ? 2 : 0);
      expect([resources.total, clock.pending]).toEqual([0, 0]);
    },
  );

  test('opens nothing any more, whatever was to be kept open', async () => {
    const { clock, pool, resources, borrowMany } = createPoolUnderTest();
    pool.keepOpen(2);
    const borrowers = await borrowMany(2);
    const done = watch(pool.drain(closed), clock);
    pool.keepOpen(2);
    pool.resize(4, 8);
    for (const borrower of borrowers) borrower.release();
    await clock.advance(10_000);
    expect([resources.begun, resources.total]).toEqual([2, 0]);
    expect(done.at).toBe(0);
  });

  test('while failing it ends the attempts', async () => {
    const { clock, pool, resources } = createPoolUnderTest();
    resources.failure = new Error('down');
    pool.keepOpen(2);
    await clock.advance(500);
    const before = resources.begun;
    const done = watch(pool.drain(closed), clock);
    await clock.advance(10_000);
    expect(resources.begun).toBe(before);
    expect(done.at).toBe(500);
  });

  test('called twice, both callers are told when it is done', async () => {
    const { clock, pool, resources, borrow } = createPoolUnderTest();
    const holder = await borrow();
    const first = watch(pool.drain(closed), clock);
    const second = watch(pool.drain(new Error('again')), clock);
    await clock.advance(100);
    holder.release();
    await promisesSettled();
    expect([first.at, second.at]).toEqual([100, 100]);
    const third = watch(pool.drain(closed), clock);
    await promisesSettled();
    expect(third.at).toBe(100);
    expect(resources.closed).toHaveLength(1);
  });
});
