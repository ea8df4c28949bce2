import type { Entry } from '../../../src/entry.ts';
import { type LaneState, Lanes } from '../../../src/lanes.ts';
import type { ResolvedLane } from '../../../src/options.ts';
import { ResourcePool, type ResourcePoolOptions } from '../../../src/resource-pool.ts';
import { Waiter } from '../../../src/waiter.ts';
import { FakeClock, promisesSettled } from './fake-clock.ts';
import { type FakeResource, FakeResources } from './fake-resources.ts';

export type LaneSettings = Record<string, Partial<ResolvedLane>>;

export interface Settings
  extends Partial<Omit<ResourcePoolOptions<FakeResource>, 'open' | 'close' | 'clock' | 'onOpenFailed'>> {
  lanes?: LaneSettings;
}

export interface Overloaded {
  overloaded: string;
  waitedMs: number;
  retryAfterMs: number;
}

export function resolveLanes(lanes: LaneSettings): Record<string, ResolvedLane> {
  const usual: ResolvedLane = {
    guaranteed: 0,
    priority: 1,
    max: Number.POSITIVE_INFINITY,
    maxWaiting: Number.POSITIVE_INFINITY,
    acquireTimeoutMs: 30_000,
    shedding: undefined,
  };
  return Object.fromEntries(Object.entries(lanes).map(([name, lane]) => [name, { ...usual, ...lane }]));
}

/** Somebody who asked for a resource, and what has become of it. Told twice is an error. */
export class Borrower {
  entry: Entry<FakeResource> | undefined;
  error: unknown;
  outcome: 'waiting' | 'served' | 'refused' | 'left' = 'waiting';
  waitedMs: number | undefined;
  onServed: (() => void) | undefined;
  readonly waiter: Waiter<FakeResource>;
  readonly #pool: ResourcePool<FakeResource>;
  readonly #clock: FakeClock;

  constructor(pool: ResourcePool<FakeResource>, clock: FakeClock, lane: string) {
    this.#pool = pool;
    this.#clock = clock;
    this.waiter = new Waiter<FakeResource>(
      lane,
      clock.now(),
      (entry) => this.#accept(entry),
      (error) => {
        this.#settle('refused');
        this.error = error;
      },
    );
  }

  /** Takes what is there, or stands in line. */
  ask(): this {
    const entry = this.#pool.take(this.waiter.lane);
    if (entry) this.#accept(entry);
    else this.#pool.wait(this.waiter);
    return this;
  }

  release(): void {
    this.#pool.release(this.#held());
  }

  discard(reason = 'broken'): void {
    this.#pool.discard(this.#held(), reason);
  }

  /** False when it had been settled before. */
  leave(): boolean {
    const left = this.#pool.cancel(this.waiter);
    if (left) this.#settle('left');
    return left;
  }

  get id(): number | undefined {
    return this.entry?.resource.id;
  }

  #held(): Entry<FakeResource> {
    if (!this.entry) throw new Error(`nothing to give back: ${this.outcome}`);
    return this.entry;
  }

  #accept(entry: Entry<FakeResource>): void {
    this.#settle('served');
    this.entry = entry;
    this.waitedMs = this.#clock.now() - this.waiter.since;
    this.onServed?.();
  }

  #settle(outcome: Borrower['outcome']): void {
    if (this.outcome !== 'waiting') throw new Error(`${outcome} after ${this.outcome}`);
    this.outcome = outcome;
  }
}

/** A pool over resources in memory, with one lane unless told otherwise, and time in the hands of the test. */
export function createPoolUnderTest({ lanes: laneSettings = { only: {} }, ...settings }: Settings = {}) {
  const clock = new FakeClock();
  const resources = new FakeResources(clock);
  const failures: unknown[] = [];
  const hooks: { onOpenFailed?: (error: unknown) => void; onShed?: () => void } = {};
  const lanes = new Lanes<FakeResource>({
    lanes: resolveLanes(laneSettings),
    now: clock.now,
    overloaded(lane: LaneState<FakeResource>, waitedMs, retryAfterMs): Overloaded {
      hooks.onShed?.();
      return { overloaded: lane.name, waitedMs, retryAfterMs };
    },
  });
  const pool = new ResourcePool<FakeResource>(
    {
      core: 2,
      max: 4,
      maxOpening: 4,
      firstOpenings: 4,
      slowOpeningMs: 1_000,
      overflowDelayMs: 50,
      backoff: { firstMs: 50, longestMs: 1_000 },
      lifetimeMs: () => 1e12,
      unavailable: (error) => ({ unavailable: error }),
      random: () => 0.5,
      ...settings,
      clock,
      open: resources.open,
      close: resources.close,
      onOpenFailed(error) {
        failures.push(error);
        hooks.onOpenFailed?.(error);
      },
    },
    lanes,
  );
  const usualLane = Object.keys(laneSettings)[0] as string;
  const ask = (lane = usualLane) => new Borrower(pool, clock, lane).ask();
  const askMany = (count: number, lane = usualLane) => Array.from({ length: count }, () => ask(lane));
  return {
    clock,
    resources,
    lanes,
    pool,
    failures,
    hooks,
    ask,
    askMany,
    /** Asks and lets the openings that are wanted happen. */
    async borrow(lane = usualLane): Promise<Borrower> {
      const borrower = ask(lane);
      await promisesSettled();
      return borrower;
    },
    async borrowMany(count: number, lane = usualLane): Promise<Borrower[]> {
      const borrowers = askMany(count, lane);
      await promisesSettled();
      return borrowers;
    },
    settled: promisesSettled,
  };
}

export type PoolUnderTest = ReturnType<typeof createPoolUnderTest>;

export const served = (borrowers: readonly Borrower[]): number => count(borrowers, 'served');
export const waiting = (borrowers: readonly Borrower[]): number => count(borrowers, 'waiting');
export const refused = (borrowers: readonly Borrower[]): number => count(borrowers, 'refused');

function count(borrowers: readonly Borrower[], outcome: Borrower['outcome']): number {
  return borrowers.filter((borrower) => borrower.outcome === outcome).length;
}
