import { describe, expect, test } from 'vitest';
import { promisesSettled } from './support/fake-clock.ts';
import { createPoolUnderTest, served, waiting } from './support/pool-under-test.ts';

describe('resizing down while in use', () => {
  test('borrowers finish, idle ones above the core go at once, and nothing new is opened beyond', async () => {
    const { clock, pool, resources, askMany } = createPoolUnderTest({ core: 6, max: 8 });
    const borrowers = askMany(6);
    await clock.advance(10);
    borrowers[0]?.release();
    pool.resize(2, 3);
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 5, used: 5, idle: 0 });
    const line = askMany(3);
    await clock.advance(1_000);
    expect(waiting(line)).toBe(3);
    for (const borrower of borrowers.slice(1, 3)) borrower.release();
    await clock.advance(1_000);
    // 5 and 4 were too many; the next one given back may be lent again.
    expect(pool.counts()).toMatchObject({ open: 3, used: 3, opening: 0 });
    expect(served(line)).toBe(0);
    borrowers[3]?.release();
    expect(served(line)).toBe(1);
    expect(resources.begun).toBe(6);
    for (const borrower of [...borrowers.slice(4), ...line]) {
      if (borrower.outcome === 'served') borrower.release();
      await promisesSettled();
    }
    for (const borrower of line) if (borrower.outcome === 'served') borrower.release();
    await clock.advance(1_000);
    expect(waiting(line)).toBe(0);
    expect(pool.counts()).toMatchObject({ open: 2, idle: 2 });
  });

  test('idle ones of the core go as well while too many of the overflow are in use', async () => {
    const { clock, pool, borrow, askMany, settled } = createPoolUnderTest({ core: 1, max: 4 });
    const borrowers = askMany(4);
    await clock.advance(60);
    borrowers[0]?.release();
    pool.resize(1, 2);
    await settled();
    expect(pool.counts()).toMatchObject({ open: 3, used: 3, idle: 0 });
    const late = await borrow();
    expect([late.outcome, pool.counts().open]).toEqual(['waiting', 3]);
    borrowers[1]?.release();
    expect(late.outcome).toBe('waiting');
    borrowers[2]?.release();
    await settled();
    expect(late.outcome).toBe('served');
    expect(pool.counts().open).toBe(2);
  });

  test('an opening that ends after the pool has shrunk below it is closed', async () => {
    const { pool, resources, askMany } = createPoolUnderTest({ core: 3, max: 3 });
    resources.openMs = undefined;
    const borrowers = askMany(3);
    pool.resize(1, 1);
    for (const opening of resources.openings) opening.succeed();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 1, used: 1, opening: 0, closing: 0, waiting: 2 });
    expect(served(borrowers)).toBe(1);
    expect(resources.closed.map(({ reason }) => reason)).toEqual(['resized', 'resized']);
  });

  test('a pool of size 0 lends nothing and refuses nobody until it grows again', async () => {
    const { clock, pool, borrow, ask } = createPoolUnderTest({ core: 2, max: 2 });
    const holder = await borrow();
    pool.resize(0, 0);
    const waiter = ask();
    holder.release();
    await clock.advance(10_000);
    expect(pool.counts()).toMatchObject({ open: 0, opening: 0, waiting: 1 });
    pool.resize(1, 1);
    await promisesSettled();
    expect(waiter.outcome).toBe('served');
  });

  test('only the core shrinks: what is above it becomes overflow and goes when nobody wants it', async () => {
    const { pool, borrowMany, ask } = createPoolUnderTest({ core: 4, max: 4 });
    const borrowers = await borrowMany(4);
    pool.resize(2, 4);
    const waiter = ask();
    borrowers[0]?.release();
    expect(waiter.outcome).toBe('served');
    for (const borrower of [...borrowers.slice(1), waiter]) borrower.release();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 2, idle: 2, closing: 0 });
  });
});

describe('resizing up', () => {
  test('those who wait are served at once', async () => {
    const { pool, borrow, askMany } = createPoolUnderTest({ core: 1, max: 1 });
    await borrow();
    const line = askMany(4);
    pool.resize(3, 3);
    await promisesSettled();
    expect(served(line)).toBe(2);
    pool.resize(5, 5);
    await promisesSettled();
    expect(served(line)).toBe(4);
  });

  test('more overflow serves those who have waited for its delay', async () => {
    const { clock, pool, borrow, askMany } = createPoolUnderTest({ core: 1, max: 1 });
    await borrow();
    const [early] = askMany(1);
    await clock.advance(60);
    const [late] = askMany(1);
    pool.resize(1, 3);
    await promisesSettled();
    expect([early?.outcome, late?.outcome]).toEqual(['served', 'waiting']);
    await clock.advance(50);
    expect(late?.outcome).toBe('served');
  });

  test('overflow that is in use becomes part of the core when it comes back', async () => {
    const { clock, pool, askMany } = createPoolUnderTest({ core: 1, max: 3 });
    const borrowers = askMany(3);
    await clock.advance(60);
    pool.resize(3, 3);
    for (const borrower of borrowers) borrower.release();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 3, idle: 3, closing: 0 });
  });

  test('what is kept open grows with the core', async () => {
    const { pool, settled } = createPoolUnderTest({ core: 1, max: 4 });
    pool.keepOpen(3);
    await settled();
    expect(pool.counts().open).toBe(1);
    pool.resize(4, 4);
    await settled();
    expect(pool.counts().open).toBe(3);
  });

  test('down and up again while all are used loses and invents nothing', async () => {
    const { clock, pool, resources, borrowMany } = createPoolUnderTest({ core: 4, max: 4 });
    const borrowers = await borrowMany(4);
    pool.resize(1, 1);
    pool.resize(4, 4);
    for (const borrower of borrowers) borrower.release();
    await clock.advance(1_000);
    expect(pool.counts()).toEqual({ open: 4, idle: 4, used: 0, opening: 0, closing: 0, waiting: 0 });
    expect(resources.begun).toBe(4);
  });
});
