import { describe, expect, test } from 'vitest';
import { promisesSettled } from './support/fake-clock.ts';
import { createPoolUnderTest, served } from './support/pool-under-test.ts';

describe('resources that are too old', () => {
  test('an expired resource is not handed out', async () => {
    const { clock, resources, borrow } = createPoolUnderTest({ core: 1, max: 1, lifetimeMs: () => 1_000 });
    (await borrow()).release();
    await clock.advance(1_000);
    const borrower = await borrow();
    expect(borrower.id).toBe(2);
    expect(resources.closed).toEqual([{ id: 1, reason: 'expired' }]);
  });

  test('a resource that has not expired yet is handed out', async () => {
    const { clock, borrow } = createPoolUnderTest({ core: 1, max: 1, lifetimeMs: () => 1_000 });
    (await borrow()).release();
    await clock.advance(999);
    expect((await borrow()).id).toBe(1);
  });

  test('one that expires while it is used is closed when it comes back, and the waiter gets a new one', async () => {
    const { clock, pool, borrow, ask } = createPoolUnderTest({ core: 1, max: 1, lifetimeMs: () => 1_000 });
    const holder = await borrow();
    await clock.advance(1_500);
    const waiter = ask();
    expect(pool.counts().used).toBe(1);
    holder.release();
    await promisesSettled();
    expect(waiter.id).toBe(2);
  });

  test('taking over expired ones closes all of them on the way, within the limit', async () => {
    const { clock, resources, pool, borrowMany, ask } = createPoolUnderTest({
      core: 3,
      max: 3,
      lifetimeMs: () => 1_000,
    });
    resources.closeMs = 100;
    for (const borrower of await borrowMany(3)) borrower.release();
    await clock.advance(1_000);
    const waiter = ask();
    expect(pool.counts()).toMatchObject({ open: 0, closing: 3, opening: 0, waiting: 1 });
    await clock.advance(100);
    expect(waiter.outcome).toBe('served');
    expect(resources.most).toBe(3);
  });

  test('one that has expired while it was idle is not given to somebody who waits either', async () => {
    const lanes = { only: { max: 1 } };
    const { clock, borrowMany, pool, ask, settled } = createPoolUnderTest({
      core: 2,
      max: 2,
      lanes,
      lifetimeMs: () => 1_000,
    });
    pool.keepOpen(2);
    const [holder] = await borrowMany(1);
    const waiter = ask();
    await clock.advance(1_000);
    expect(pool.counts()).toMatchObject({ idle: 1, used: 1, waiting: 1 });
    holder?.discard();
    await settled();
    expect(waiter.id).toBeGreaterThan(2);
  });

  test('each resource has a lifetime of its own', async () => {
    const lifetimes = [1_000, 2_000, 3_000];
    const { clock, pool, resources, borrowMany } = createPoolUnderTest({
      core: 3,
      max: 3,
      lifetimeMs: () => lifetimes.shift() ?? 0,
    });
    for (const borrower of await borrowMany(3)) borrower.release();
    const left: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(1_000);
      pool.closeExpired();
      await promisesSettled();
      left.push(pool.counts().open);
    }
    expect(left).toEqual([2, 1, 0]);
    expect(resources.closed.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('an expired one closed in the background is replaced when so many are to stay open', async () => {
    const { clock, pool, settled } = createPoolUnderTest({ core: 2, max: 2, lifetimeMs: () => 1_000 });
    pool.keepOpen(2);
    await settled();
    await clock.advance(1_000);
    pool.closeExpired();
    await settled();
    expect(pool.counts()).toMatchObject({ open: 2, idle: 2, closing: 0 });
    expect([pool.take('only')?.resource.id, pool.take('only')?.resource.id].sort()).toEqual([3, 4]);
  });
});

describe('retiring a generation', () => {
  test('idle ones are closed at once, used ones when they come back', async () => {
    const { pool, resources, borrowMany } = createPoolUnderTest({ core: 3, max: 3 });
    const [a, b, c] = await borrowMany(3);
    a?.release();
    pool.retire('ping failed');
    await promisesSettled();
    expect(resources.closed).toEqual([{ id: a?.id, reason: 'ping failed' }]);
    expect(pool.counts()).toMatchObject({ open: 2, used: 2 });
    b?.release();
    c?.release();
    await promisesSettled();
    expect(resources.closed.map(({ reason }) => reason)).toEqual(['ping failed', 'retired', 'retired']);
    expect(pool.counts()).toMatchObject({ open: 0, closing: 0 });
  });

  test('those opened later stay, and those who wait are served by them', async () => {
    const { pool, borrow, ask, resources } = createPoolUnderTest({ core: 1, max: 1 });
    const old = await borrow();
    pool.retire('ping failed');
    const waiter = ask();
    old.release();
    await promisesSettled();
    expect(waiter.id).toBe(2);
    waiter.release();
    expect(pool.counts().idle).toBe(1);
    expect(resources.closed).toHaveLength(1);
  });

  test('an opening that ends after the retirement belongs to the later ones', async () => {
    const { pool, resources, ask } = createPoolUnderTest({ core: 1, max: 1 });
    resources.openMs = undefined;
    const waiter = ask();
    pool.retire('ping failed');
    for (const opening of resources.openings) opening.succeed();
    await promisesSettled();
    waiter.release();
    expect(pool.counts().idle).toBe(1);
  });

  test('retiring twice in a row closes nothing twice', async () => {
    const { pool, resources, borrowMany } = createPoolUnderTest({ core: 2, max: 2 });
    const [a, b] = await borrowMany(2);
    a?.release();
    pool.retire('first');
    pool.retire('second');
    b?.release();
    await promisesSettled();
    expect(resources.closed).toEqual([
      { id: a?.id, reason: 'first' },
      { id: b?.id, reason: 'retired' },
    ]);
  });
});

describe('idle resources', () => {
  test('the longest idle ones are trimmed first, down to what is to stay', async () => {
    const { clock, pool, resources, borrowMany } = createPoolUnderTest({ core: 4, max: 4 });
    const borrowers = await borrowMany(4);
    for (const borrower of borrowers) {
      borrower.release();
      await clock.advance(100);
    }
    pool.trim(200, 1);
    await promisesSettled();
    // The last two have been idle for 200 and 100 ms.
    expect(resources.closed.map(({ id }) => id)).toEqual([1, 2, 3]);
    await clock.advance(10_000);
    pool.trim(200, 1);
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 1, idle: 1 });
  });

  test('used ones count for what is to stay and are never trimmed', async () => {
    const { clock, pool, borrowMany } = createPoolUnderTest({ core: 4, max: 4 });
    const borrowers = await borrowMany(4);
    borrowers[0]?.release();
    borrowers[1]?.release();
    await clock.advance(1_000);
    pool.trim(500, 3);
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 3, used: 2, idle: 1 });
  });

  test('one that died is closed by name, and only while it is idle', async () => {
    const { pool, borrowMany } = createPoolUnderTest({ core: 2, max: 2 });
    const [a, b] = await borrowMany(2);
    a?.release();
    const dead = [a?.entry?.resource, b?.entry?.resource].map(
      (resource) => resource && pool.discardIdle(resource, 'connection lost'),
    );
    await promisesSettled();
    expect(dead).toEqual([true, false]);
    expect(pool.counts()).toMatchObject({ open: 1, used: 1 });
  });
});

describe('keeping some open', () => {
  test('opens them in the background, a few at a time, and no more than the core', async () => {
    const { clock, pool, resources } = createPoolUnderTest({ core: 5, max: 10, maxOpening: 2 });
    resources.openMs = 10;
    pool.keepOpen(8);
    expect(pool.counts().opening).toBe(2);
    await clock.advance(100);
    expect(pool.counts()).toMatchObject({ open: 5, idle: 5, opening: 0 });
    await clock.advance(10_000);
    expect(resources.begun).toBe(5);
  });

  test('refills after all were discarded', async () => {
    const { pool, resources, borrowMany, settled } = createPoolUnderTest({ core: 3, max: 3 });
    pool.keepOpen(3);
    await settled();
    for (const borrower of await borrowMany(3)) borrower.discard();
    await settled();
    expect(pool.counts()).toMatchObject({ open: 3, idle: 3, closing: 0 });
    expect(resources.most).toBe(3);
  });

  test('refills after a failure, with backoff, though nobody asks', async () => {
    const { clock, pool, resources } = createPoolUnderTest({ core: 2, max: 2 });
    resources.failure = new Error('down');
    pool.keepOpen(2);
    await clock.advance(10_000);
    expect(resources.begun).toBeGreaterThan(5);
    expect(resources.begun).toBeLessThan(40);
    resources.failure = undefined;
    await clock.advance(1_000);
    expect(pool.counts()).toMatchObject({ open: 2, opening: 0 });
  });

  test('ends when it is told to keep none', async () => {
    const { clock, pool, resources } = createPoolUnderTest({ core: 2, max: 2 });
    pool.keepOpen(2);
    await clock.advance(10);
    pool.keepOpen(0);
    pool.retire('over');
    await clock.advance(10_000);
    expect([resources.begun, pool.counts().open]).toEqual([2, 0]);
  });

  test('what is opened for keeping serves whoever asks meanwhile', async () => {
    const { clock, pool, resources, askMany } = createPoolUnderTest({ core: 3, max: 6 });
    resources.openMs = 20;
    pool.keepOpen(3);
    const borrowers = askMany(3);
    await clock.advance(20);
    expect([served(borrowers), resources.begun]).toEqual([3, 3]);
  });
});
