import { describe, expect, test } from 'vitest';
import { OverloadDetector } from '../../src/overload.ts';
import { type Borrower, createPoolUnderTest, refused, served, waiting } from './support/pool-under-test.ts';

const shedding = { targetMs: 100, intervalMs: 1_000 };
const one = { core: 1, max: 1, lanes: { only: { shedding } } };

/** A borrower comes every `everyMs` and keeps the only resource for `useMs`, for `forMs`. */
function arrivals(
  { clock, ask }: ReturnType<typeof createPoolUnderTest>,
  everyMs: number,
  useMs: number,
  forMs: number,
) {
  const borrowers: Borrower[] = [];
  const arrive = () => {
    const borrower = ask();
    const use = () => void clock.setTimeout(() => borrower.release(), useMs);
    if (borrower.outcome === 'served') use();
    else borrower.onServed = use;
    borrowers.push(borrower);
    if (clock.now() < forMs) clock.setTimeout(arrive, everyMs);
  };
  arrive();
  return borrowers;
}

describe('a line that only grows', () => {
  test('is overloaded when its head waits longer than the target for a whole interval', async () => {
    const bench = createPoolUnderTest(one);
    const borrowers = arrivals(bench, 10, 20, 5_000);
    await bench.clock.advance(1_000);
    expect(refused(borrowers)).toBe(0);
    expect(bench.lanes.get('only').overload?.overloaded).toBe(false);
    await bench.clock.advance(100);
    expect(bench.lanes.get('only').overload?.overloaded).toBe(true);
    expect(refused(borrowers)).toBeGreaterThan(0);
  });

  test('is not overloaded while connections are still being opened for it', async () => {
    const { clock, resources, askMany } = createPoolUnderTest({
      core: 4,
      max: 4,
      maxOpening: 1,
      lanes: { only: { shedding } },
    });
    resources.openMs = 700;
    const borrowers = askMany(40);
    for (const borrower of borrowers) {
      borrower.onServed = () => void clock.setTimeout(() => borrower.release(), 50);
    }
    await clock.advance(2_100);
    expect([served(borrowers), refused(borrowers)]).toEqual([40, 0]);
  });

  test('is overloaded all the same when lost connections are replaced now and then', async () => {
    const bench = createPoolUnderTest({
      core: 10,
      max: 10,
      lanes: { only: { shedding: { targetMs: 500, intervalMs: 1_000 } } },
    });
    const { clock, resources, ask } = bench;
    resources.openMs = 20;
    let lostAt = 0;
    const borrowers: Borrower[] = [];
    // A hundred a second can be served, a quarter more come.
    while (clock.now() < 20_000) {
      const borrower = ask();
      const use = () =>
        void clock.setTimeout(() => {
          if (clock.now() - lostAt < 900) return borrower.release();
          lostAt = clock.now();
          borrower.discard();
        }, 100);
      if (borrower.outcome === 'served') use();
      else borrower.onServed = use;
      borrowers.push(borrower);
      await clock.advance(8);
    }
    expect(refused(borrowers)).toBeGreaterThan(300);
    expect(waiting(borrowers)).toBeLessThan(100);
  });

  test('is overloaded all the same when an opening for it hangs', async () => {
    const bench = createPoolUnderTest({ ...one, core: 2, max: 2, maxOpening: 1 });
    await bench.borrow();
    bench.resources.openMs = undefined;
    const borrowers = arrivals(bench, 10, 20, 5_000);
    // Until it is slow, and a whole interval after that.
    await bench.clock.advance(1_980);
    expect([bench.resources.openings.size, refused(borrowers)]).toEqual([1, 0]);
    await bench.clock.advance(50);
    expect(refused(borrowers)).toBeGreaterThan(0);
  });

  test('serves the newest first while it is overloaded, and sends away who waited past the target', async () => {
    const bench = createPoolUnderTest(one);
    const borrowers = arrivals(bench, 10, 20, 3_000);
    await bench.clock.advance(2_000);
    const before = new Set(borrowers.filter(({ outcome }) => outcome !== 'waiting'));
    await bench.clock.advance(500);
    const settled = borrowers.filter((borrower) => !before.has(borrower));
    const waits = settled.filter(({ outcome }) => outcome === 'served').map(({ waitedMs }) => waitedMs ?? 0);
    // The resource is handed to somebody who came just before it was free.
    expect(waits.length).toBeGreaterThan(10);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10);
    for (const { error } of settled.filter(({ outcome }) => outcome === 'refused')) {
      expect(error).toMatchObject({ overloaded: 'only' });
      expect((error as { waitedMs: number }).waitedMs).toBeGreaterThan(100);
      expect((error as { waitedMs: number }).waitedMs).toBeLessThanOrEqual(102);
    }
  });

  test('everybody in it is settled in the end, and order of arrival comes back once it is empty', async () => {
    const bench = createPoolUnderTest(one);
    const borrowers = arrivals(bench, 10, 20, 3_000);
    await bench.clock.advance(4_000);
    expect(waiting(borrowers)).toBe(0);
    expect(served(borrowers) + refused(borrowers)).toBe(borrowers.length);
    expect(bench.lanes.get('only').overload?.overloaded).toBe(false);
    const holder = await bench.borrow();
    const [first, second] = bench.askMany(2);
    holder.release();
    expect([first?.outcome, second?.outcome]).toEqual(['served', 'waiting']);
  });

  test('tells when to come back: after the line in front has gone, and never before the target', async () => {
    const bench = createPoolUnderTest({ ...one, lanes: { only: { shedding, maxWaiting: 6 } } });
    for (let i = 0; i < 3; i += 1) {
      const borrower = await bench.borrow();
      await bench.clock.advance(400);
      borrower.release();
    }
    await bench.borrow();
    bench.askMany(6);
    expect(bench.ask().error).toEqual({ overloaded: 'only', waitedMs: 0, retryAfterMs: 6 * 400 });
    const fresh = createPoolUnderTest({ ...one, lanes: { only: { shedding, maxWaiting: 1 } } });
    fresh.askMany(1);
    expect(fresh.ask().error).toEqual({ overloaded: 'only', waitedMs: 0, retryAfterMs: 100 });
  });

  test('never sheds where no shedding is configured', async () => {
    const bench = createPoolUnderTest({ core: 1, max: 1, lanes: { only: {} } });
    const borrowers = arrivals(bench, 10, 20, 3_000);
    await bench.clock.advance(20_000);
    expect(served(borrowers)).toBe(borrowers.length);
  });

  test('takes no more than maxWaiting, and counts whom it sent away', async () => {
    const { pool, lanes, askMany, borrow } = createPoolUnderTest({
      core: 1,
      max: 1,
      lanes: { only: { maxWaiting: 3 } },
    });
    const holder = await borrow();
    const borrowers = askMany(10);
    expect([waiting(borrowers), refused(borrowers)]).toEqual([3, 7]);
    expect(borrowers.slice(0, 3).every(({ outcome }) => outcome === 'waiting')).toBe(true);
    expect(lanes.get('only').shed).toBe(7);
    holder.release();
    expect(pool.counts().waiting).toBe(2);
    expect(askMany(2).map(({ outcome }) => outcome)).toEqual(['waiting', 'refused']);
  });
});

describe('a line that is not overloaded', () => {
  test('a burst may wait longer than the target', async () => {
    const { clock, ask, askMany } = createPoolUnderTest(one);
    const borrowers = askMany(40);
    for (const borrower of borrowers) {
      borrower.onServed = () => void clock.setTimeout(() => borrower.release(), 20);
    }
    await clock.advance(700);
    expect(refused(borrowers)).toBe(0);
    await clock.advance(200);
    expect(served(borrowers)).toBe(40);
    expect(ask().outcome).toBe('served');
  });

  test('a burst after a long silence is a burst as well', async () => {
    const { clock, borrow, askMany } = createPoolUnderTest(one);
    const holder = await borrow();
    await clock.advance(10_000);
    const line = askMany(5);
    await clock.advance(900);
    expect(waiting(line)).toBe(5);
    holder.release();
    expect(line.map(({ outcome }) => outcome)).toEqual(['served', ...Array(4).fill('waiting')]);
  });

  test('a look at the line that is due late does not put off the overflow of another lane', async () => {
    const { clock, borrow, ask, askMany } = createPoolUnderTest({
      core: 1,
      max: 3,
      lanes: { slow: { max: 1, shedding }, other: {} },
    });
    await borrow('slow');
    await clock.advance(100);
    askMany(2, 'slow');
    await clock.advance(10);
    const other = ask('other');
    await clock.advance(50);
    expect(other.outcome).toBe('served');
  });

  test('fewer waiters than are being served may wait as long as it takes', async () => {
    const { clock, borrowMany, askMany } = createPoolUnderTest({ ...one, core: 3, max: 3 });
    await borrowMany(3);
    const line = askMany(3);
    await clock.advance(60_000);
    expect(waiting(line)).toBe(3);
  });

  test('does not look at the clock again and again while nothing can change', async () => {
    const { clock, borrowMany, askMany } = createPoolUnderTest({ ...one, core: 3, max: 3 });
    await borrowMany(3);
    askMany(2);
    await clock.advance(10_000);
    const before = clock.timersSet;
    await clock.advance(10_000);
    expect(clock.timersSet - before).toBeLessThan(20);
  });

  test('one who joins a short line that has waited for long makes it an overloaded one', async () => {
    const { clock, ask, borrow } = createPoolUnderTest(one);
    await borrow();
    const first = ask();
    await clock.advance(5_000);
    expect(first.outcome).toBe('waiting');
    const second = ask();
    expect([first.outcome, second.outcome]).toEqual(['refused', 'waiting']);
  });
});

describe('the overload detector', () => {
  test('needs both limits to be passed', () => {
    const detector = new OverloadDetector(shedding, 0);
    detector.observe(1_001, 100);
    detector.observe(1_000, 500);
    expect(detector.overloaded).toBe(false);
    detector.observe(1_001, 101);
    expect(detector.overloaded).toBe(true);
  });

  test('starts anew when the line has run empty', () => {
    const detector = new OverloadDetector(shedding, 0);
    detector.observe(1_001, 101);
    detector.lineIsEmpty(1_100);
    detector.observe(2_100, 500);
    expect(detector.overloaded).toBe(false);
    detector.observe(2_101, 500);
    expect(detector.overloaded).toBe(true);
  });

  test('says when the state can change next', () => {
    const detector = new OverloadDetector(shedding, 0);
    expect(detector.nextCheckMs(100, 20)).toBe(900);
    expect(detector.nextCheckMs(990, 20)).toBe(80);
    detector.observe(1_001, 101);
    expect(detector.nextCheckMs(1_001, 60)).toBe(40);
  });
});
