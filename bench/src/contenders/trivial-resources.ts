import { type Entry, Lanes, ResourcePool, systemClock, Waiter } from '@sluice/pool/mechanism';
import genericPool from 'generic-pool';
import { Pool as TarnPool } from 'tarn';

/** A pool of whatever, of which only the lending is measured. */
export interface Lender {
  readonly name: string;
  /** Borrows one; the result gives it back. */
  borrow(): Promise<() => unknown>;
  /** Borrows one and gives it back, as its users do. */
  cycle(): Promise<void>;
}

/** Of resources that cost nothing. */
export type TrivialLender = Lender & AsyncDisposable;

const size = 20;
const open = async () => ({});

/** Our mechanism with the lanes that `createPool` has by default, without what it does for connections. */
export function createMechanism(name: string): TrivialLender {
  const usual = {
    max: Number.POSITIVE_INFINITY,
    maxWaiting: Number.POSITIVE_INFINITY,
    acquireTimeoutMs: 5_000,
    shedding: undefined,
  };
  const lanes = new Lanes<object>({
    lanes: {
      interactive: { ...usual, guaranteed: 8, priority: 1, shedding: { targetMs: 500, intervalMs: 1_000 } },
      bulk: { ...usual, guaranteed: 5, priority: 2 },
      control: { ...usual, guaranteed: 1, priority: 0, max: 2 },
    },
    now: systemClock.now,
    overloaded: () => new Error('overloaded'),
  });
  const resources = new ResourcePool<object>(
    {
      core: size,
      max: size,
      maxOpening: 16,
      firstOpenings: 4,
      slowOpeningMs: 1_000,
      overflowDelayMs: 50,
      backoff: { firstMs: 50, longestMs: 1_000 },
      lifetimeMs: () => 3_600_000,
      open,
      close: async () => {},
      onOpenFailed() {},
      unavailable: (error) => error,
      clock: systemClock,
      random: Math.random,
    },
    lanes,
  );
  const lane = 'interactive';
  const wait = () =>
    new Promise<Entry<object>>((resolve, reject) => {
      resources.wait(new Waiter<object>(lane, systemClock.now(), resolve, reject));
    });
  return {
    name,
    async borrow() {
      const entry = resources.take(lane) ?? (await wait());
      return () => resources.release(entry);
    },
    async cycle() {
      resources.release(resources.take(lane) ?? (await wait()));
    },
    [Symbol.asyncDispose]: () => resources.drain(new Error('drained')),
  };
}

export function createGenericPool(name: string): TrivialLender {
  const pool = genericPool.createPool({ create: open, destroy: async () => {} }, { max: size });
  return {
    name,
    async borrow() {
      const resource = await pool.acquire();
      return () => pool.release(resource);
    },
    async cycle() {
      void pool.release(await pool.acquire());
    },
    async [Symbol.asyncDispose]() {
      await pool.drain();
      await pool.clear();
    },
  };
}

export function createTarn(name: string): TrivialLender {
  const pool = new TarnPool<object>({ create: open, destroy: () => {}, min: 0, max: size });
  return {
    name,
    async borrow() {
      const resource = await pool.acquire().promise;
      return () => pool.release(resource);
    },
    async cycle() {
      pool.release(await pool.acquire().promise);
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
    },
  };
}
