import { describe, expect, test } from 'vitest';
import { promisesSettled } from './support/fake-clock.ts';
import { createPoolUnderTest, type PoolUnderTest, served, waiting } from './support/pool-under-test.ts';

describe('the size of a pool', () => {
  test('never more than core and overflow are in use, however many ask', async () => {
    const { clock, resources, pool, borrowMany } = createPoolUnderTest({ core: 2, max: 5 });
    const borrowers = await borrowMany(50);
    await clock.advance(10_000);
    expect(served(borrowers)).toBe(5);
    expect(pool.counts()).toEqual({ open: 5, idle: 0, used: 5, opening: 0, closing: 0, waiting: 45 });
    expect(resources.most).toBe(5);
  });

  test('what is opening and closing counts as well', async () => {
    const { clock, resources, pool, askMany } = createPoolUnderTest({ core: 2, max: 3, overflowDelayMs: 0 });
    resources.openMs = 20;
    resources.closeMs = 30;
    const borrowers = askMany(3);
    await clock.advance(20);
    expect(served(borrowers)).toBe(3);
    const late = askMany(6);
    for (const borrower of borrowers) borrower.discard();
    expect(pool.counts()).toMatchObject({ open: 0, opening: 0, closing: 3, waiting: 6 });
    await clock.advance(29);
    expect(pool.counts()).toMatchObject({ opening: 0, closing: 3 });
    await clock.advance(1);
    expect(pool.counts()).toMatchObject({ opening: 3, closing: 0 });
    await clock.advance(20);
    expect(served(late)).toBe(3);
    expect(resources.most).toBe(3);
  });

  test('overflow opens only after the head of the line has waited for its delay', async () => {
    const { clock, resources, borrowMany, borrow } = createPoolUnderTest({ core: 2, max: 4 });
    await borrowMany(2);
    const third = await borrow();
    await clock.advance(49);
    expect(resources.begun).toBe(2);
    const fourth = await borrow();
    await clock.advance(1);
    expect([third.outcome, fourth.outcome, resources.begun]).toEqual(['served', 'waiting', 3]);
    await clock.advance(48);
    expect(fourth.outcome).toBe('waiting');
    await clock.advance(1);
    expect(fourth.outcome).toBe('served');
  });

  /** Makes borrowers who each give back after `useMs`. */
  function keepBusy({ askMany, clock }: PoolUnderTest, useMs: number) {
    return (count: number) => {
      const borrowers = askMany(count);
      for (const borrower of borrowers) {
        borrower.onServed = () => void clock.setTimeout(() => borrower.release(), useMs);
      }
      return borrowers;
    };
  }

  test('a head that is late once while others are being served opens no overflow', async () => {
    const bench = createPoolUnderTest({ core: 2, max: 4 });
    const { clock, resources } = bench;
    const askFor = keepBusy(bench, 10);
    // Two at a time are served every 10 ms, so that the last four of sixteen have waited for longer than the delay.
    const borrowers = askFor(16);
    await clock.advance(80);
    expect([served(borrowers), resources.begun]).toEqual([16, 2]);
  });

  test('heads that are late on end open one beyond the core after twice the delay, and another one after as long again', async () => {
    const bench = createPoolUnderTest({ core: 2, max: 4 });
    const { clock, resources } = bench;
    const askFor = keepBusy(bench, 10);
    askFor(80);
    await clock.advance(99);
    expect(resources.begun).toBe(2);
    await clock.advance(1);
    expect(resources.begun).toBe(3);
    await clock.advance(99);
    expect(resources.begun).toBe(3);
    await clock.advance(1);
    expect(resources.begun).toBe(4);
  });

  test('a head in time between late ones begins the count anew', async () => {
    const bench = createPoolUnderTest({ core: 2, max: 4 });
    const { clock, resources, pool } = bench;
    const askFor = keepBusy(bench, 10);
    askFor(14);
    await clock.advance(60);
    askFor(12);
    await clock.advance(90);
    expect([resources.begun, pool.counts().waiting]).toEqual([2, 0]);
  });

  test('whoever becomes late while an opening hangs has one of their own begun', async () => {
    const { clock, resources, ask } = createPoolUnderTest({ core: 1, max: 8 });
    ask();
    await clock.advance(10);
    resources.openMs = undefined;
    ask();
    await clock.advance(20);
    ask();
    await clock.advance(30);
    expect([clock.now(), resources.openings.size]).toEqual([60, 1]);
    await clock.advance(20);
    expect([clock.now(), resources.openings.size]).toEqual([80, 2]);
  });

  test('overflow is closed when it is given back and nobody waits', async () => {
    const { clock, resources, pool, askMany } = createPoolUnderTest({ core: 2, max: 4 });
    const borrowers = askMany(4);
    await clock.advance(50);
    expect(pool.counts().used).toBe(4);
    for (const borrower of borrowers) borrower.release();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 2, idle: 2, closing: 0 });
    expect(resources.closed.map(({ reason }) => reason)).toEqual(['overflow', 'overflow']);
  });

  test('overflow that is given back serves others before it is closed', async () => {
    const { clock, resources, askMany } = createPoolUnderTest({ core: 1, max: 2 });
    const [, second] = askMany(2);
    await clock.advance(50);
    const third = askMany(1)[0];
    second?.release();
    expect(third?.id).toBe(second?.id);
    expect(resources.closed).toEqual([]);
    third?.release();
    expect(resources.closed).toEqual([{ id: 2, reason: 'overflow' }]);
  });

  test('overflow that is given back fills a gap in the core instead of being closed', async () => {
    const { clock, pool, resources, askMany } = createPoolUnderTest({ core: 1, max: 2 });
    const [first, second] = askMany(2);
    await clock.advance(50);
    first?.discard();
    second?.release();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 1, idle: 1 });
    expect(resources.closed).toEqual([{ id: 1, reason: 'broken' }]);
  });

  test('the count of overflow is restored after a failed opening', async () => {
    const { clock, resources, pool, borrowMany, ask } = createPoolUnderTest({ core: 1, max: 2 });
    await borrowMany(1);
    resources.failure = new Error('too many clients');
    const second = ask();
    await clock.advance(5_000);
    expect(resources.begun).toBeGreaterThan(4);
    expect(pool.counts()).toEqual({ open: 1, idle: 0, used: 1, opening: 0, closing: 0, waiting: 1 });
    resources.failure = undefined;
    await clock.advance(1_000);
    expect(second.outcome).toBe('served');
    expect(pool.counts()).toMatchObject({ open: 2, used: 2 });
    second.release();
    await promisesSettled();
    expect(pool.counts()).toMatchObject({ open: 1, used: 1 });
  });

  test('a burst of 500 short borrowers against slow openings opens few', async () => {
    const { clock, resources, pool, askMany } = createPoolUnderTest({ core: 20, max: 50 });
    resources.openMs = 150;
    const borrowers = askMany(500);
    for (const borrower of borrowers) {
      borrower.onServed = () => void clock.setTimeout(() => borrower.release(), 1);
    }
    await clock.advance(1_000);
    expect(served(borrowers)).toBe(500);
    expect(resources.begun).toBeLessThanOrEqual(8);
    expect(pool.counts()).toMatchObject({ waiting: 0, used: 0, opening: 0 });
  });

  test('a cold pool doubles with each opening time while the line outlasts it, and grows slowly beyond the core', async () => {
    const { clock, resources, askMany } = createPoolUnderTest({ core: 20, max: 30, maxOpening: 16 });
    resources.openMs = 100;
    askMany(100);
    const begun: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      begun.push(resources.begun);
      await clock.advance(100);
    }
    // 4, as many as they were, and so on up to the core; then 4 at a time.
    expect(begun).toEqual([4, 8, 16, 20, 24, 28, 30]);
  });

  test('no more than maxOpening openings are under way at once', async () => {
    const { clock, resources, pool, askMany } = createPoolUnderTest({ core: 10, max: 20, maxOpening: 3 });
    resources.openMs = 100;
    let most = 0;
    resources.onOpen = () => {
      most = Math.max(most, resources.openings.size);
    };
    const borrowers = askMany(30);
    await clock.advance(2_000);
    expect(most).toBe(3);
    expect(served(borrowers)).toBe(20);
    expect(pool.counts().opening).toBe(0);
  });

  test('a resource is not opened for somebody whom one under way will serve', async () => {
    const { clock, resources, ask } = createPoolUnderTest({ core: 5, max: 10 });
    resources.openMs = 500;
    ask();
    await clock.advance(400);
    expect(resources.begun).toBe(1);
  });
});

describe('openings that take long', () => {
  test('a waiter is served by whichever resource comes first, not by the opening begun for it', async () => {
    const { resources, askMany } = createPoolUnderTest({ core: 2, max: 2 });
    resources.openMs = undefined;
    const [first, second] = askMany(2);
    const [, secondOpening] = resources.openings;
    secondOpening?.succeed();
    await promisesSettled();
    expect([first?.outcome, second?.outcome]).toEqual(['served', 'waiting']);
    first?.release();
    expect(second?.outcome).toBe('served');
  });

  test('a hanging opening does not count for maxOpening once it is slow', async () => {
    const { clock, resources, askMany } = createPoolUnderTest({ core: 4, max: 4, maxOpening: 1 });
    resources.openMs = undefined;
    const borrowers = askMany(2);
    expect(resources.begun).toBe(1);
    await clock.advance(999);
    expect(resources.begun).toBe(1);
    resources.openMs = 0;
    await clock.advance(1);
    expect(resources.begun).toBe(3);
    expect(served(borrowers)).toBe(2);
    expect(resources.openings.size).toBe(1);
  });

  test('a hanging opening keeps nobody waiting who could have another one', async () => {
    const { clock, resources, ask } = createPoolUnderTest({ core: 4, max: 8 });
    resources.openMs = undefined;
    const first = ask();
    await clock.advance(980);
    resources.openMs = 0;
    const second = ask();
    await clock.advance(20);
    // The opening for the second served the first; now the hanging one must not pass for the second's.
    expect([first.outcome, second.outcome]).toEqual(['served', 'served']);
    expect(resources.openings.size).toBe(1);
  });

  test('openings that hang for ever in the core leave the overflow to others', async () => {
    const { clock, resources, askMany, borrow } = createPoolUnderTest({ core: 3, max: 6 });
    await borrow();
    resources.openMs = undefined;
    const stuck = askMany(2);
    await clock.advance(10);
    resources.openMs = 0;
    await clock.advance(1_100);
    expect(served(stuck)).toBe(2);
    expect(resources.openings.size).toBe(2);
  });

  test('one waiter in front of a server that answers nothing makes no more than one attempt', async () => {
    const { clock, resources, ask } = createPoolUnderTest({ core: 5, max: 10 });
    resources.openMs = undefined;
    const borrower = ask();
    await clock.advance(9_999);
    expect(resources.begun).toBe(1);
    for (const opening of resources.openings) opening.fail();
    await promisesSettled();
    expect(borrower.outcome).toBe('refused');
  });

  test('a hanging opening that ends at last fills the pool like any other', async () => {
    const { clock, resources, pool, ask } = createPoolUnderTest({ core: 2, max: 2, maxOpening: 1 });
    resources.openMs = undefined;
    const first = ask();
    const second = ask();
    await clock.advance(1_500);
    expect(resources.openings.size).toBe(2);
    for (const opening of resources.openings) opening.succeed();
    await promisesSettled();
    expect(served([first, second])).toBe(2);
    expect(pool.counts()).toMatchObject({ open: 2, opening: 0 });
    // The cap is back where it was: the next two openings go one after the other.
    first.discard();
    second.discard();
    const more = [ask(), ask()];
    await promisesSettled();
    expect([resources.openings.size, waiting(more)]).toEqual([1, 2]);
  });
});
