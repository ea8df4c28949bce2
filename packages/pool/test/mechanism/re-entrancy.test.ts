import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/entry.ts';
import { promisesSettled } from './support/fake-clock.ts';
import type { FakeResource } from './support/fake-resources.ts';
import { type Borrower, createPoolUnderTest, served } from './support/pool-under-test.ts';

describe('callbacks that call the pool', () => {
  test('a close that takes another one gets it, and it is not closed under its hands', async () => {
    const { clock, pool, resources, borrowMany } = createPoolUnderTest({
      core: 3,
      max: 3,
      lifetimeMs: () => 1_000,
    });
    const borrowers = await borrowMany(3);
    await clock.advance(500);
    for (const borrower of borrowers) borrower.release();
    const taken: (Entry<FakeResource> | undefined)[] = [];
    resources.onClose = () => {
      resources.onClose = undefined;
      taken.push(pool.take('only'));
    };
    pool.trim(0, 1);
    await promisesSettled();
    expect(taken).toHaveLength(1);
    for (const entry of taken) if (entry) expect(resources.alive.has(entry.resource)).toBe(true);
    expect(pool.counts().open).toBe(1);
    expect(resources.most).toBe(3);
  });

  test('a close during a retirement cannot get one of those that are retired', async () => {
    const { pool, resources, borrowMany, ask } = createPoolUnderTest({ core: 3, max: 3 });
    for (const borrower of await borrowMany(3)) borrower.release();
    const asked: Borrower[] = [];
    resources.onClose = () => void asked.push(ask());
    pool.retire('ping failed');
    await promisesSettled();
    expect(asked.map(({ id }) => id)).toEqual([4, 5, 6]);
    expect(pool.counts()).toMatchObject({ open: 3, used: 3, closing: 0 });
    expect(resources.most).toBe(3);
  });

  test('a close during a drain cannot get anything any more', async () => {
    const { pool, resources, borrowMany, ask } = createPoolUnderTest({ core: 3, max: 3 });
    for (const borrower of await borrowMany(3)) borrower.release();
    const asked: Borrower[] = [];
    resources.onClose = () => void asked.push(ask());
    let done = false;
    void pool.drain('closed').then(() => {
      done = true;
    });
    await promisesSettled();
    expect(asked.map(({ error }) => error)).toEqual(['closed', 'closed', 'closed']);
    expect([done, resources.total]).toEqual([true, 0]);
  });

  test('a close that waits, counts and releases others leaves the pool within its limit', async () => {
    const { clock, pool, resources, borrowMany, ask } = createPoolUnderTest({
      core: 2,
      max: 4,
      overflowDelayMs: 0,
    });
    const borrowers = await borrowMany(4);
    const late: Borrower[] = [];
    const totals: number[] = [];
    resources.onClose = () => {
      const { open, opening, closing } = pool.counts();
      totals.push(open + opening + closing);
      late.push(ask());
      for (const borrower of borrowers) borrower.release();
    };
    resources.closeMs = 5;
    borrowers[0]?.discard();
    await clock.advance(100);
    expect(served(late)).toBe(late.length);
    expect(late.length).toBeGreaterThan(0);
    expect(Math.max(...totals)).toBeLessThanOrEqual(4);
    expect(resources.most).toBeLessThanOrEqual(4);
    expect(pool.counts()).toMatchObject({ waiting: 0, closing: 0, opening: 0 });
  });

  test('resizing from within a close settles on the last size', async () => {
    const { pool, resources, borrowMany } = createPoolUnderTest({ core: 5, max: 5 });
    for (const borrower of await borrowMany(5)) borrower.release();
    resources.onClose = () => {
      resources.onClose = undefined;
      pool.resize(1, 1);
    };
    pool.resize(3, 3);
    await promisesSettled();
    expect([pool.core, pool.max]).toEqual([1, 1]);
    expect(pool.counts()).toEqual({ open: 1, idle: 1, used: 0, opening: 0, closing: 0, waiting: 0 });
  });

  test('onOpenFailed that asks again is refused, as everybody else is', async () => {
    const { clock, resources, hooks, pool, ask, failures } = createPoolUnderTest();
    resources.failure = new Error('down');
    const asked: Borrower[] = [];
    const seen: unknown[] = [];
    hooks.onOpenFailed = () => {
      seen.push([pool.isDown(), pool.isFailing(), pool.counts().opening, pool.take('only')]);
      asked.push(ask());
    };
    const first = ask();
    await clock.advance(10);
    expect(first.outcome).toBe('refused');
    expect(asked.map(({ outcome }) => outcome)).toEqual(['refused']);
    expect(seen).toEqual([[true, true, 0, undefined]]);
    expect(failures).toHaveLength(1);
  });

  test('onOpenFailed that gives back what is in use serves those who wait', async () => {
    const { clock, resources, hooks, borrow, ask } = createPoolUnderTest({ core: 2, max: 2 });
    const holder = await borrow();
    resources.failure = new Error('down');
    hooks.onOpenFailed = () => holder.release();
    const waiter = ask();
    await clock.advance(1);
    expect(waiter.id).toBe(holder.id);
  });

  test('onOpenFailed that drains the pool ends it', async () => {
    const { clock, resources, hooks, pool, ask } = createPoolUnderTest();
    resources.failure = new Error('down');
    let done = false;
    hooks.onOpenFailed = () => {
      void pool.drain('closed').then(() => {
        done = true;
      });
    };
    const waiter = ask();
    await clock.advance(5_000);
    expect([waiter.error, done, resources.begun]).toEqual(['closed', true, 1]);
  });

  test('a borrower that gives back within the hand-over lets the next ones through', async () => {
    const { pool, borrow, askMany } = createPoolUnderTest({ core: 1, max: 1 });
    const holder = await borrow();
    const line = askMany(500);
    for (const borrower of line) borrower.onServed = () => borrower.release();
    holder.release();
    expect(served(line)).toBe(500);
    expect(pool.counts()).toMatchObject({ open: 1, idle: 1, used: 0, waiting: 0 });
  });

  test('one who is sent away and asks again at once stands in line like a newcomer', async () => {
    const { clock, hooks, pool, borrow, askMany, ask } = createPoolUnderTest({
      core: 1,
      max: 1,
      lanes: { only: { shedding: { targetMs: 100, intervalMs: 500 } } },
    });
    const holder = await borrow();
    askMany(4);
    const again: Borrower[] = [];
    hooks.onShed = () => {
      if (again.length < 4) again.push(ask());
    };
    await clock.advance(600);
    expect(again).toHaveLength(4);
    expect(pool.counts().waiting).toBeLessThanOrEqual(4);
    delete hooks.onShed;
    holder.release();
    await clock.advance(1);
    expect(pool.counts().used).toBe(1);
  });
});
