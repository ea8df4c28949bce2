import { createRandom } from '@sluice/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scaleGuarantees } from '../../src/lanes.ts';
import { resolvePoolOptions } from '../../src/options.ts';
import { type Borrower, createPoolUnderTest, type PoolUnderTest, served } from './support/pool-under-test.ts';

const guaranteed: Record<string, number> = { control: 1, interactive: 2, bulk: 2 };
const lanes = {
  control: { guaranteed: 1, priority: 0 },
  interactive: { guaranteed: 2, priority: 1 },
  bulk: { guaranteed: 2, priority: 2 },
};
const names = Object.keys(lanes);

/** Every way to name some, but not all, of the lanes. */
const combinations = names
  .flatMap((a) => names.flatMap((b) => (a <= b ? [[...new Set([a, b])]] : [])))
  .map((flooded) => [flooded.join(' and '), flooded] as const);
const sizes = [
  ['without overflow', 6, 6],
  ['with overflow', 6, 9],
  ['without anything to borrow', 5, 5],
] as const;

/** Callers who come back as soon as they have been served: somebody always waits. */
function flood({ clock, ask }: PoolUnderTest, lane: string, callers: number, useMs: () => number): void {
  for (let i = 0; i < callers; i += 1) {
    const comeBack = () => {
      const borrower = ask(lane);
      const use = () =>
        void clock.setTimeout(() => {
          borrower.release();
          comeBack();
        }, useMs());
      if (borrower.outcome === 'served') use();
      else if (borrower.outcome === 'refused') clock.setTimeout(comeBack, 10);
      else borrower.onServed = use;
    };
    comeBack();
  }
}

describe.each(sizes)('guarantees %s', (_title, core, max) => {
  test.each(combinations)('hold for the other lanes while %s hold what they can get', async (_, flooded) => {
    const bench = createPoolUnderTest({ core, max, lanes });
    for (const lane of flooded) bench.askMany(30, lane);
    await bench.clock.advance(5_000);
    for (const lane of names.filter((name) => !flooded.includes(name))) {
      const promised = await bench.borrowMany(guaranteed[lane] as number, lane);
      expect([lane, served(promised)]).toEqual([lane, guaranteed[lane]]);
    }
    expect(bench.resources.most).toBeLessThanOrEqual(max);
  });

  test.each(combinations)('hold at any moment of a flood of %s', async (_, flooded) => {
    const random = createRandom(core * 100 + max);
    const bench = createPoolUnderTest({ core, max, lanes });
    for (const lane of flooded) flood(bench, lane, 12, () => random.between(1, 80));
    const others = names.filter((name) => !flooded.includes(name));
    const held: Borrower[] = [];
    for (let i = 0; i < 400; i += 1) {
      await bench.clock.advance(random.between(1, 40));
      const lane = random.pick(others);
      if (held.length > 0 && random.chance(0.5)) {
        held.splice(random.between(0, held.length - 1), 1)[0]?.release();
      } else if (bench.lanes.get(lane).held < (guaranteed[lane] as number)) {
        const borrower = await bench.borrow(lane);
        // Openings take no time here, so neither does what is promised.
        expect([i, lane, borrower.outcome]).toEqual([i, lane, 'served']);
        held.push(borrower);
      }
    }
    expect(bench.resources.most).toBeLessThanOrEqual(max);
  });
});

describe('lanes', () => {
  test('a lane borrows what nobody was promised, and no promise of an idle lane', async () => {
    const { clock, askMany } = createPoolUnderTest({ core: 7, max: 7, lanes });
    const bulk = askMany(20, 'bulk');
    await clock.advance(5_000);
    expect(served(bulk)).toBe(4);
    const interactive = askMany(20, 'interactive');
    await clock.advance(5_000);
    expect(served(interactive)).toBe(2);
  });

  test('overflow is for any lane, less the promises that are still open', async () => {
    const { clock, askMany } = createPoolUnderTest({ core: 5, max: 8, lanes });
    const bulk = askMany(20, 'bulk');
    await clock.advance(5_000);
    expect(served(bulk)).toBe(5);
    const promised = [...askMany(1, 'control'), ...askMany(2, 'interactive')];
    await clock.advance(0);
    expect(served(promised)).toBe(3);
  });

  test('a lane never holds more than its maximum', async () => {
    const {
      clock,
      lanes: state,
      askMany,
    } = createPoolUnderTest({
      core: 8,
      max: 12,
      lanes: { ...lanes, control: { guaranteed: 1, max: 2, priority: 0 } },
    });
    const borrowers = askMany(10, 'control');
    await clock.advance(5_000);
    expect([served(borrowers), state.get('control').held]).toEqual([2, 2]);
    borrowers[0]?.release();
    expect([served(borrowers), state.get('control').held]).toEqual([3, 2]);
  });

  test('of those who wait the more urgent lane is served first', async () => {
    const bench = createPoolUnderTest({
      core: 1,
      max: 1,
      lanes: { control: { priority: 0 }, interactive: { priority: 1 }, bulk: { priority: 2 } },
    });
    const holder = await bench.borrow('bulk');
    const order: string[] = [];
    for (const lane of ['bulk', 'interactive', 'bulk', 'control', 'interactive']) {
      const borrower = bench.ask(lane);
      borrower.onServed = () => {
        order.push(lane);
        borrower.release();
      };
    }
    holder.release();
    expect(order).toEqual(['control', 'interactive', 'interactive', 'bulk', 'bulk']);
  });

  test('a lane that waits for its promise goes before a more urgent one that borrows', async () => {
    const { clock, ask, askMany } = createPoolUnderTest({
      core: 3,
      max: 3,
      lanes: {
        interactive: { guaranteed: 1, priority: 1 },
        bulk: { guaranteed: 1, priority: 2 },
      },
    });
    const interactive = askMany(10, 'interactive');
    await clock.advance(100);
    const bulk = [ask('bulk'), ask('bulk')];
    await clock.advance(100);
    expect([served(interactive), served(bulk)]).toEqual([2, 1]);
    interactive[0]?.release();
    expect([served(interactive), served(bulk)]).toEqual([3, 1]);
  });

  test('a lane that is promised nothing has its turn now and then, and priority goes on in between', async () => {
    const bench = createPoolUnderTest({
      core: 1,
      max: 1,
      lanes: { interactive: { priority: 1 }, bulk: { priority: 2 } },
    });
    flood(bench, 'interactive', 5, () => 10);
    const bulk: Borrower[] = [];
    for (let i = 0; i < 50; i += 1) {
      const borrower = bench.ask('bulk');
      borrower.onServed = () => void bench.clock.setTimeout(() => borrower.release(), 10);
      bulk.push(borrower);
    }
    await bench.clock.advance(4_200);
    // 420 are served in this time; one of 21 is for bulk.
    expect(served(bulk)).toBe(20);
  });

  test('a newcomer does not pass those of its lane who wait', async () => {
    const { pool, ask, borrow } = createPoolUnderTest({
      core: 2,
      max: 2,
      lanes: { only: { max: 1 }, other: {} },
    });
    const holder = await borrow('only');
    const idle = await borrow('other');
    const waiter = ask('only');
    idle.release();
    expect(pool.counts().idle).toBe(1);
    expect(pool.take('only')).toBeUndefined();
    expect(waiter.outcome).toBe('waiting');
    holder.release();
    expect(waiter.outcome).toBe('served');
  });

  test('a lane gets its promise at once even when the core was lent while it held overflow', async () => {
    const {
      clock,
      lanes: state,
      borrow,
      ask,
    } = createPoolUnderTest({
      core: 2,
      max: 3,
      lanes: { promised: { guaranteed: 1, priority: 0 }, other: {} },
    });
    await borrow('other');
    const first = await borrow('promised');
    const beyond = ask('other');
    await clock.advance(50);
    const second = ask('promised');
    beyond.release();
    expect([second.outcome, second.entry?.overflow]).toEqual(['served', true]);
    first.release();
    expect((await borrow('other')).outcome).toBe('served');
    // Both of the core are with the other lane now, and what this one holds goes when it is given back.
    second.release();
    expect([state.get('promised').held, state.get('other').held]).toEqual([0, 2]);
    expect((await borrow('promised')).outcome).toBe('served');
  });

  test('a promise of the whole core is kept as long as there is overflow for the others', async () => {
    const settings = { lanes: { promised: { guaranteed: 2 }, other: {} } };
    const roomy = createPoolUnderTest({ core: 2, max: 3, ...settings });
    const tight = createPoolUnderTest({ core: 2, max: 2, ...settings });
    expect([roomy, tight].map(({ lanes: state }) => state.get('promised').guaranteed)).toEqual([2, 1]);
    const borrowers = [roomy.ask('other'), tight.ask('other')];
    await roomy.clock.advance(50);
    await tight.clock.advance(50);
    expect(served(borrowers)).toBe(2);
  });

  test('after a resize nobody borrows a promise because overflow is still out', async () => {
    const bench = createPoolUnderTest({
      core: 1,
      max: 3,
      lanes: { promised: { guaranteed: 1 }, other: {} },
    });
    const others = bench.askMany(2, 'other');
    await bench.clock.advance(100);
    expect(served(others)).toBe(2);
    bench.pool.resize(2, 3);
    const third = bench.ask('other');
    await bench.clock.advance(1_000);
    expect(third.outcome).toBe('waiting');
    expect((await bench.borrow('promised')).outcome).toBe('served');
  });

  test('the counts per lane come back to nothing', async () => {
    const { clock, lanes: state, pool, askMany } = createPoolUnderTest({ core: 6, max: 9, lanes });
    const borrowers = names.flatMap((name) => askMany(5, name));
    for (let round = 0; round < 20; round += 1) {
      await clock.advance(60);
      for (const borrower of borrowers) if (borrower.outcome === 'served') borrower.release();
    }
    expect(served(borrowers)).toBe(15);
    expect([...state.all()].map(({ held, line }) => held + line.size)).toEqual([0, 0, 0]);
    expect(pool.counts()).toMatchObject({ used: 0, waiting: 0 });
  });

  test('10 000 waiters do not make giving back slow', async () => {
    const { clock, askMany } = createPoolUnderTest({ core: 4, max: 8 });
    const line = askMany(10_000);
    await clock.advance(1_000);
    const start = performance.now();
    for (const borrower of line) borrower.release();
    // Looking at all of them each time took seconds.
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(served(line)).toBe(10_000);
  });
});

const tiny = [1, 2, 3, 4].flatMap((core) =>
  [0, 1, 2].flatMap((overflow) => [1, 2, 3, 20].map((asked) => ({ core, overflow, asked }))),
);

function defaultLanes(size: number) {
  return resolvePoolOptions({ connectionString: 'postgres://localhost/none', size }).lanes;
}

describe.each(tiny)(
  'a pool of $core + $overflow with the default lanes of $asked',
  ({ core, overflow, asked }) => {
    const create = () => createPoolUnderTest({ core, max: core + overflow, lanes: defaultLanes(asked) });

    test.each(names)('serves %s when nobody else is there', async (lane) => {
      const bench = create();
      const borrower = bench.ask(lane);
      await bench.clock.advance(100);
      expect(borrower.outcome).toBe('served');
    });

    test.each(names)('serves %s sooner or later while all others are flooded', async (lane) => {
      const bench = create();
      for (const other of names) if (other !== lane) flood(bench, other, 10, () => 5);
      await bench.clock.advance(100);
      const borrower = bench.ask(lane);
      await bench.clock.advance(2_000);
      expect(borrower.outcome).toBe('served');
    });
  },
);

describe('promises in a pool that is too small for them', () => {
  const asked = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 });

  test('fit into the core, and are never more than was asked for', () => {
    fc.assert(
      fc.property(asked, fc.nat({ max: 60 }), (guarantees, core) => {
        const scaled = scaleGuarantees(guarantees, core);
        expect(scaled).toHaveLength(guarantees.length);
        scaled.forEach((kept, i) => {
          expect(Number.isInteger(kept)).toBe(true);
          expect(kept).toBeGreaterThanOrEqual(0);
          expect(kept).toBeLessThanOrEqual(guarantees[i] as number);
        });
        expect(scaled.reduce((sum, kept) => sum + kept, 0)).toBeLessThanOrEqual(core);
      }),
    );
  });

  test('are kept as they are when they fit with one to spare', () => {
    fc.assert(
      fc.property(asked, fc.integer({ min: 1, max: 10 }), (guarantees, spare) => {
        const total = guarantees.reduce((sum, guarantee) => sum + guarantee, 0);
        expect(scaleGuarantees(guarantees, total + spare)).toEqual(guarantees);
      }),
    );
  });

  test('leave one for whoever comes as long as some lane is promised nothing', () => {
    fc.assert(
      fc.property(asked, fc.integer({ min: 1, max: 60 }), (guarantees, core) => {
        const scaled = scaleGuarantees(guarantees, core);
        const total = scaled.reduce((sum, kept) => sum + kept, 0);
        if (scaled.includes(0)) expect(total).toBeLessThan(core);
      }),
    );
  });

  test('keep the order of what was asked for', () => {
    fc.assert(
      fc.property(asked, fc.nat({ max: 60 }), (guarantees, core) => {
        const scaled = scaleGuarantees(guarantees, core);
        guarantees.forEach((a, i) => {
          guarantees.forEach((b, j) => {
            if (a > b) expect(scaled[i] as number).toBeGreaterThanOrEqual(scaled[j] as number);
          });
        });
      }),
    );
  });

  test('do not shrink while the core grows', () => {
    fc.assert(
      fc.property(asked, fc.nat({ max: 60 }), (guarantees, core) => {
        const smaller = scaleGuarantees(guarantees, core);
        const larger = scaleGuarantees(guarantees, core + 1);
        smaller.forEach((kept, i) => {
          expect(larger[i] as number).toBeGreaterThanOrEqual(kept);
        });
      }),
    );
  });
});
