import { describe, expect, test } from 'vitest';
import { promisesSettled } from './support/fake-clock.ts';
import { createPoolUnderTest, served } from './support/pool-under-test.ts';

const nobody = { used: 0, opening: 0, closing: 0, waiting: 0 };

describe('waiting for a resource', () => {
  test('waiters are served in the order in which they came', async () => {
    const { pool, borrow, askMany } = createPoolUnderTest({ core: 1, max: 1 });
    let holder = await borrow();
    const line = askMany(5);
    for (const next of line) {
      expect(next.outcome).toBe('waiting');
      holder.release();
      expect(next.outcome).toBe('served');
      holder = next;
    }
    expect(pool.counts()).toMatchObject({ used: 1, waiting: 0 });
  });

  test('the resource that was given back last is lent first', async () => {
    const { borrowMany, borrow } = createPoolUnderTest({ core: 3, max: 3 });
    const [a, b, c] = await borrowMany(3);
    b?.release();
    c?.release();
    a?.release();
    const again = [await borrow(), await borrow(), await borrow()];
    expect(again.map(({ id }) => id)).toEqual([a?.id, c?.id, b?.id]);
  });

  test('waiters wake when a resource is invalidated', async () => {
    const { pool, borrow, ask } = createPoolUnderTest({ core: 1, max: 1 });
    const holder = await borrow();
    const waiter = ask();
    holder.discard('connection lost');
    await promisesSettled();
    expect(waiter.outcome).toBe('served');
    expect(waiter.id).not.toBe(holder.id);
    expect(pool.counts()).toMatchObject({ open: 1, used: 1, waiting: 0 });
  });

  test('waiters wake when an idle resource that they may not have is invalidated', async () => {
    const lanes = { promised: { guaranteed: 1 }, other: { guaranteed: 1 }, third: { guaranteed: 1 } };
    const { pool, borrow, ask, settled } = createPoolUnderTest({ core: 3, max: 3, lanes });
    const [promised, other, third] = [await borrow('promised'), await borrow('other'), await borrow('third')];
    const waiter = ask('third');
    promised.release();
    if (promised.entry) pool.discardIdle(promised.entry.resource, 'connection lost');
    await settled();
    expect(waiter.outcome).toBe('waiting');
    expect(pool.counts()).toMatchObject({ open: 2, idle: 0, opening: 0 });
    const again = await borrow('promised');
    third.discard();
    await settled();
    expect(served([other, again, waiter])).toBe(3);
  });

  test('releasing twice is harmless', async () => {
    const { pool, resources, borrowMany } = createPoolUnderTest({ core: 2, max: 2 });
    const [a, b] = await borrowMany(2);
    a?.release();
    a?.release();
    a?.discard();
    a?.discard();
    a?.release();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 1, used: 1, idle: 0, closing: 0 });
    expect(resources.closed).toEqual([{ id: a?.id, reason: 'broken' }]);
    b?.release();
    b?.release();
    expect(pool.counts()).toMatchObject({ open: 1, used: 0, idle: 1 });
  });

  test('releasing after discarding is harmless', async () => {
    const { pool, lanes, borrow } = createPoolUnderTest({ core: 1, max: 1 });
    const holder = await borrow();
    holder.discard();
    holder.release();
    await promisesSettled();
    expect(pool.counts()).toEqual({ open: 0, idle: 0, ...nobody });
    expect(lanes.get('only').held).toBe(0);
  });
});

describe('leaving before being served', () => {
  test('somebody who leaves the line is told nothing, and the next one is served', async () => {
    const { pool, borrow, askMany } = createPoolUnderTest({ core: 1, max: 1 });
    const holder = await borrow();
    const [first, second, third] = askMany(3);
    expect(second?.leave()).toBe(true);
    holder.release();
    expect([first?.outcome, second?.outcome, third?.outcome]).toEqual(['served', 'left', 'waiting']);
    first?.release();
    expect(third?.outcome).toBe('served');
    expect(pool.counts().waiting).toBe(0);
  });

  test('leaving twice is harmless', async () => {
    const { pool, borrow, ask } = createPoolUnderTest({ core: 1, max: 1 });
    await borrow();
    const waiter = ask();
    expect([waiter.leave(), waiter.leave()]).toEqual([true, false]);
    expect(pool.counts().waiting).toBe(0);
  });

  test('leaving while a resource is being opened does not cancel the opening', async () => {
    const { resources, pool, ask, settled } = createPoolUnderTest({ core: 1, max: 1 });
    resources.openMs = undefined;
    const waiter = ask();
    expect(resources.openings.size).toBe(1);
    waiter.leave();
    expect(pool.counts()).toMatchObject({ opening: 1, waiting: 0 });
    for (const opening of resources.openings) opening.succeed();
    await settled();
    expect(pool.counts()).toEqual({ open: 1, idle: 1, ...nobody });
    expect(ask().id).toBe(1);
  });

  test('what was opened as overflow for somebody who left fills the core, or goes', async () => {
    const { clock, resources, pool, borrow, ask } = createPoolUnderTest({ core: 1, max: 2 });
    await borrow();
    resources.openMs = undefined;
    const waiter = ask();
    await clock.advance(50);
    waiter.leave();
    for (const opening of resources.openings) opening.succeed();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 1, used: 1, opening: 0, closing: 0 });
    expect(resources.closed).toEqual([{ id: 2, reason: 'overflow' }]);
  });

  test('an opening that fails after its waiter has left leaks nothing', async () => {
    const { resources, pool, ask, failures, settled } = createPoolUnderTest({ core: 1, max: 1 });
    resources.openMs = undefined;
    const waiter = ask();
    waiter.leave();
    for (const opening of resources.openings) opening.fail();
    await settled();
    expect(failures).toHaveLength(1);
    expect(pool.counts()).toEqual({ open: 0, idle: 0, ...nobody });
    expect(waiter.outcome).toBe('left');
  });

  test('leaving after the hand-over comes too late: the resource is to be given back', async () => {
    const { pool, borrow, ask } = createPoolUnderTest({ core: 1, max: 1 });
    const holder = await borrow();
    const waiter = ask();
    holder.release();
    expect(waiter.leave()).toBe(false);
    expect(waiter.outcome).toBe('served');
    waiter.release();
    expect(pool.counts()).toEqual({ open: 1, idle: 1, ...nobody });
  });

  test('leaving after having been refused is harmless', async () => {
    const { resources, pool, borrow } = createPoolUnderTest();
    resources.failure = new Error('down');
    const waiter = await borrow();
    expect([waiter.outcome, waiter.leave()]).toEqual(['refused', false]);
    expect(pool.counts().waiting).toBe(0);
  });

  test('the timer that would have opened overflow opens nothing when everybody has left', async () => {
    const { clock, resources, borrow, ask } = createPoolUnderTest({ core: 1, max: 3 });
    await borrow();
    const waiter = ask();
    await clock.advance(30);
    waiter.leave();
    await clock.advance(1_000);
    expect(resources.begun).toBe(1);
  });

  test('10 000 waiters leave a line in any order, at a cost that does not grow with it', async () => {
    const { pool, borrow, askMany } = createPoolUnderTest({ core: 1, max: 1 });
    const holder = await borrow();
    const line = askMany(10_000);
    for (const waiter of [...line].reverse()) if (waiter !== line[5_000]) waiter.leave();
    expect(pool.counts().waiting).toBe(1);
    holder.release();
    expect(line[5_000]?.outcome).toBe('served');
  });
});
