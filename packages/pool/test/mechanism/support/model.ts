import { createRandom } from '@sluice/testing';
import type { Entry } from '../../../src/entry.ts';
import { Waiter } from '../../../src/waiter.ts';
import type { FakeResource } from './fake-resources.ts';
import { createPoolUnderTest, type LaneSettings } from './pool-under-test.ts';

interface Ticket {
  lane: string;
  waiter: Waiter<FakeResource>;
  state: 'asking' | 'waiting' | 'settled';
  timer: unknown;
}
interface Loan {
  lane: string;
  entry: Entry<FakeResource>;
}

const laneSettings: LaneSettings = {
  control: { guaranteed: 1, max: 2, priority: 0 },
  interactive: {
    guaranteed: 3,
    priority: 1,
    maxWaiting: 60,
    shedding: { targetMs: 200, intervalMs: 600 },
  },
  bulk: { guaranteed: 2, priority: 2 },
  rest: { priority: 3 },
};
const laneNames = Object.keys(laneSettings);
const slowOpeningMs = 300;
const maxOpening = 6;
const firstOpenings = 2;

/**
 * A pool that is used at random, and beside it what it should look like, kept from the outside only: from what the
 * resources and the borrowers were told. Everything is checked after every step.
 */
export function createModel(seed: number) {
  const random = createRandom(seed);
  const lifetimeMs = () => random.between(500, 20_000);
  const bench = createPoolUnderTest({
    core: 8,
    max: 14,
    maxOpening,
    firstOpenings,
    slowOpeningMs,
    backoff: { firstMs: 20, longestMs: 500 },
    random: random.next,
    lifetimeMs,
    lanes: laneSettings,
  });
  const { clock, pool, resources, lanes } = bench;
  const loans = new Set<Loan>();
  const line = new Set<Ticket>();
  const returned: Entry<FakeResource>[] = [];
  const retired = new Set<FakeResource>();
  const figures = { served: 0, refused: 0, left: 0, timedOut: 0, steps: 0 };
  let max = 14;
  let core = 8;
  let total = 0;
  let drained = false;
  let failing = false;
  let weather: 'fair' | 'failing' | 'hanging' | 'mixed' = 'fair';
  let calm = false;

  function fail(what: string): never {
    const state = { ...pool.counts(), core, max, now: clock.now(), weather, step: figures.steps };
    throw new Error(`${what}; ${JSON.stringify(state)}`);
  }

  resources.openMs = undefined;
  resources.closeMs = undefined;
  resources.onOpen = () => {
    if (drained) fail('opened after the drain');
    if (resources.total > max) fail('opened beyond the limit');
    const quick = [...resources.openings].filter(
      ({ begunAt }) => clock.now() - begunAt < slowOpeningMs,
    ).length;
    const allowed = Math.min(maxOpening, Math.max(firstOpenings, resources.alive.size));
    if (quick > (failing ? 1 : allowed)) fail(`${quick} are opened at once`);
    const [opening] = [...resources.openings].slice(-1);
    const kind = calm
      ? 'fair'
      : weather === 'mixed'
        ? random.pick(['fair', 'failing', 'hanging'] as const)
        : weather;
    const afterMs = kind === 'hanging' ? random.between(1_000, 6_000) : random.between(0, 60);
    const fails = kind === 'failing' || (kind === 'hanging' && random.chance(0.5));
    clock.setTimeout(() => {
      failing = fails;
      if (fails) opening?.fail();
      else opening?.succeed();
    }, afterMs);
  };
  resources.onClose = (resource, reason) => {
    if (reason === 'retired' && !retired.has(resource)) fail('retired though it was opened later');
    for (const loan of loans) if (loan.entry.resource === resource) fail('closed while it was lent');
    const [closing] = [...resources.closings].slice(-1);
    clock.setTimeout(
      () => closing?.finish(),
      random.chance(0.1) ? random.between(100, 900) : random.between(0, 20),
    );
  };

  function lend(lane: string, entry: Entry<FakeResource>): void {
    figures.served += 1;
    if (drained) fail('lent after the drain');
    if (entry.state !== 'used' || entry.lane !== lane) fail('lent in a wrong state');
    if (entry.expiresAt <= clock.now()) fail('lent after it had expired');
    if (retired.has(entry.resource)) fail('lent after it was retired');
    if (!resources.alive.has(entry.resource)) fail('lent after it was closed');
    for (const loan of loans) if (loan.entry === entry) fail('lent twice');
    if (resources.alive.size > max) fail('lent beyond the limit');
    loans.add({ lane, entry });
    const { held, guaranteed } = lanes.get(lane);
    if (held > guaranteed && loans.size + openPromises() > max) fail(`lane ${lane} has borrowed a promise`);
  }

  /** What the lanes are guaranteed and do not hold. */
  function openPromises(): number {
    let sum = 0;
    for (const { guaranteed, held } of lanes.all()) sum += Math.max(0, guaranteed - held);
    return sum;
  }

  function settle(ticket: Ticket): void {
    if (ticket.state === 'settled') fail('a waiter was settled twice');
    ticket.state = 'settled';
    line.delete(ticket);
    clock.clearTimeout(ticket.timer);
  }

  function leave(ticket: Ticket): void {
    if (!pool.cancel(ticket.waiter)) fail('one who waits was not in line');
    settle(ticket);
  }

  function ask(lane: string, timeoutMs: number): void {
    const entry = pool.take(lane);
    if (entry) {
      lend(lane, entry);
      return;
    }
    const ticket: Ticket = {
      lane,
      state: 'asking',
      timer: undefined,
      waiter: new Waiter<FakeResource>(
        lane,
        clock.now(),
        (served) => {
          settle(ticket);
          lend(lane, served);
        },
        (error) => {
          figures.refused += 1;
          const reachable = resources.alive.size + resources.openings.size > 0;
          const unavailable = typeof error === 'object' && error !== null && 'unavailable' in error;
          if (unavailable && reachable) fail('refused though there is hope');
          settle(ticket);
        },
      ),
    };
    line.add(ticket);
    pool.wait(ticket.waiter);
    if (ticket.state === 'settled') return;
    ticket.state = 'waiting';
    ticket.timer = clock.setTimeout(() => {
      figures.timedOut += 1;
      leave(ticket);
    }, timeoutMs);
  }

  function giveBack(loan: Loan, broken: boolean): void {
    loans.delete(loan);
    returned.push(loan.entry);
    if (returned.length > 20) returned.shift();
    if (broken) pool.discard(loan.entry, 'broken');
    else pool.release(loan.entry);
  }

  const anyOf = <E>(set: ReadonlySet<E>): E | undefined => (set.size > 0 ? random.pick([...set]) : undefined);

  const operations: [number, () => void | Promise<void>][] = [
    [
      30,
      () =>
        ask(random.pick(laneNames), random.chance(0.3) ? random.between(0, 100) : random.between(100, 8_000)),
    ],
    [
      26,
      () => {
        const loan = anyOf(loans);
        if (loan) giveBack(loan, false);
      },
    ],
    [
      3,
      () => {
        const loan = anyOf(loans);
        if (loan) giveBack(loan, true);
      },
    ],
    [
      4,
      () => {
        const entry = returned.length > 0 ? random.pick(returned) : undefined;
        if (entry && entry.state !== 'used') pool.release(entry);
      },
    ],
    [
      5,
      () => {
        const ticket = anyOf(line);
        if (!ticket) return;
        figures.left += 1;
        leave(ticket);
      },
    ],
    [
      1,
      () => {
        for (const resource of resources.alive) retired.add(resource);
        pool.retire('retired');
      },
    ],
    [
      1,
      () => {
        const resource = anyOf(resources.alive);
        if (!resource) return;
        const lent = [...loans].some((loan) => loan.entry.resource === resource);
        if (pool.discardIdle(resource, 'lost') === lent)
          fail('discardIdle told an idle one from a used one wrongly');
      },
    ],
    [
      1,
      () => {
        core = random.chance(0.05) ? 0 : random.between(1, 12);
        max = core + (random.chance(0.3) ? 0 : random.between(core === 0 ? 0 : 1, 8));
        pool.resize(core, max);
      },
    ],
    [1, () => pool.keepOpen(random.between(0, 14))],
    [1, () => pool.trim(random.between(0, 1_000), random.between(0, 6))],
    [1, () => pool.closeExpired()],
    [
      0.5,
      () => {
        weather = random.pick(['fair', 'fair', 'fair', 'failing', 'hanging', 'mixed'] as const);
      },
    ],
    [24, () => clock.advance(random.between(0, 12))],
    [1, () => clock.advance(random.between(50, 400))],
    [
      0.3,
      async () => {
        for (let i = random.between(20, 80); i > 0; i -= 1)
          ask(random.pick(laneNames), random.between(100, 3_000));
      },
    ],
    [
      0.3,
      () => {
        for (const loan of [...loans]) giveBack(loan, random.chance(0.05));
      },
    ],
  ];
  const weights = operations.reduce((sum, [weight]) => sum + weight, 0);

  function pickOperation(): () => void | Promise<void> {
    let left = random.next() * weights;
    for (const [weight, operation] of operations) {
      left -= weight;
      if (left < 0) return operation;
    }
    return () => {};
  }

  function checkCounts(): void {
    const counts = pool.counts();
    if (counts.open !== resources.alive.size) fail(`${resources.alive.size} are open`);
    if (counts.opening !== resources.openings.size) fail(`${resources.openings.size} are being opened`);
    if (counts.closing !== resources.closings.size) fail(`${resources.closings.size} are being closed`);
    if (counts.used !== loans.size) fail(`${loans.size} are lent`);
    if (counts.idle !== resources.alive.size - loans.size) fail('idle ones are counted wrongly');
    if (counts.waiting !== line.size) fail(`${line.size} wait`);
    const before = total;
    total = resources.total;
    if (total > max && total > before) fail(`grew from ${before} while above the limit`);
    if (counts.open > max && counts.idle > 0) fail('some are idle beyond the limit');
  }

  function checkLanes(): void {
    let promised = 0;
    for (const {
      name,
      held,
      line: { size },
      options,
      guaranteed,
    } of lanes.all()) {
      let inUse = 0;
      for (const loan of loans) if (loan.lane === name) inUse += 1;
      let waiting = 0;
      for (const ticket of line) if (ticket.lane === name) waiting += 1;
      if (held !== inUse) fail(`lane ${name} holds ${inUse}, not ${held}`);
      if (size !== waiting) fail(`in lane ${name} ${waiting} wait, not ${size}`);
      if (held > options.max) fail(`lane ${name} holds more than its maximum`);
      if (size > options.maxWaiting) fail(`the line of ${name} is longer than its maximum`);
      promised += guaranteed;
      if (size > 0 && held < guaranteed) checkServedSoon(name);
    }
    if (promised > core) fail('more is promised than the core holds');
  }

  /** A lane that has not got what it was promised: it takes what is idle, or an opening is under way if there is room. */
  function checkServedSoon(lane: string): void {
    if (pool.counts().idle > 0) fail(`lane ${lane} waits for its promise beside an idle one`);
    if (total >= max || failing) return;
    if (resources.openings.size === 0) fail(`lane ${lane} waits for its promise and nothing is being opened`);
  }

  /** Whoever may have an idle one is never left waiting beside it. */
  function checkNobodyIsForgotten(): void {
    if (pool.counts().idle === 0 || line.size === 0) return;
    let heldInCore = 0;
    for (const { entry } of loans) if (!entry.overflow) heldInCore += 1;
    // All that stay idle are of the core.
    const shared = Math.min(core - heldInCore, max - loans.size) - openPromises();
    for (const name of new Set([...line].map((ticket) => ticket.lane))) {
      const { held, guaranteed, options } = lanes.get(name);
      if (held < options.max && (held < guaranteed || shared > 0))
        fail(`lane ${name} waits beside an idle one`);
    }
  }

  function check(): void {
    checkCounts();
    checkLanes();
    checkNobodyIsForgotten();
  }

  return {
    figures,
    async step(): Promise<void> {
      figures.steps += 1;
      await pickOperation()();
      await bench.settled();
      check();
    },
    /** Everything works and everybody gives back: then nobody may be left waiting. */
    async calmDown(): Promise<void> {
      calm = true;
      if (max === 0 || core === 0) {
        core = 2;
        max = 2;
        pool.resize(core, max);
      }
      for (const ticket of line) clock.clearTimeout(ticket.timer);
      for (let round = 0; round < 2_000 && (line.size > 0 || loans.size > 0); round += 1) {
        for (const loan of [...loans]) giveBack(loan, false);
        await clock.advance(25);
        check();
      }
      if (line.size > 0) fail('some are never served though everything works');
      await clock.advance(10_000);
      check();
      const { opening, closing, open } = pool.counts();
      if (open > core) fail('more stay open than the core');
      if (opening + closing > 0) fail('something goes on though nobody wants anything');
      calm = false;
    },
    async drain(): Promise<void> {
      let done = false;
      drained = true;
      const promise = pool.drain('drained');
      void promise.then(() => {
        done = true;
      });
      if (line.size > 0) fail('some still wait after the drain has begun');
      ask(random.pick(laneNames), 1_000);
      for (const loan of [...loans]) {
        await clock.advance(random.between(0, 50));
        if (done) fail('drained while one was lent');
        check();
        giveBack(loan, random.chance(0.2));
      }
      await clock.advance(10_000);
      check();
      if (!done || resources.total > 0) fail('not drained though all are back');
      const ids = resources.closed.map(({ id }) => id);
      const opened = ids.length;
      if (new Set(ids).size !== opened || Math.max(0, ...ids) !== opened)
        fail('not everything was closed once');
      if (clock.pending > 0) fail(`${clock.pending} timers are left`);
    },
  };
}
