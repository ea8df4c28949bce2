import {
  type ConnectionBudget,
  createFleetBudget,
  type FleetBudgetOptions,
} from '../../../src/budget/index.ts';
import { createMemoryServer, type MemoryLine, type MemoryServer } from './memory-store.ts';
import { createVirtualClock, type ProcessClock, type VirtualClock } from './virtual-clock.ts';

/** Stands for a pool: opens what it may, and gives back at once what it need not keep. */
export interface FakePool {
  readonly name: string;
  readonly budget: ConnectionBudget;
  readonly shares: number[];
  readonly joined: Promise<number>;
  readonly line: MemoryLine;
  readonly process: ProcessClock;
  held: number;
  share: number;
  /** Connections that borrowers do not give back yet. */
  busy: number;
  readonly failure: unknown;
  /** Opens up to its share, closes beyond it what is not busy. */
  use(): void;
  /** As `kill -9`: never heard of again, and its connections are gone. */
  kill(): void;
}

export interface Fleet {
  readonly clock: VirtualClock;
  readonly server: MemoryServer;
  readonly pools: FakePool[];
  add(options?: Partial<FleetBudgetOptions> & { signal?: AbortSignal }): FakePool;
  /** Time passes in steps, and the pools use their shares. */
  run(ms: number): Promise<void>;
  held(): number;
}

export function createFleet(
  defaults: Partial<FleetBudgetOptions> = {},
  faults: { fresh?: boolean; latency?: () => number } = {},
): Fleet {
  const clock = createVirtualClock();
  const server = createMemoryServer(clock, faults);
  const pools: FakePool[] = [];
  let added = 0;
  const held = () => pools.reduce((sum, pool) => sum + pool.held, 0);

  function add({
    signal,
    ...options
  }: Partial<FleetBudgetOptions> & { signal?: AbortSignal } = {}): FakePool {
    const name = `pool-${added}`;
    added += 1;
    const process = clock.process();
    const line = server.connect();
    const budget = createFleetBudget({
      store: line,
      limit: 25,
      name,
      clock: process,
      ...defaults,
      ...options,
    });
    const shares: number[] = [];
    let failure: unknown;
    const setShare = (share: number) => {
      pool.share = share;
      shares.push(share);
      pool.held = Math.min(pool.held, Math.max(share, pool.busy));
    };
    const pool: FakePool = {
      name,
      budget,
      shares,
      line,
      process,
      held: 0,
      share: 0,
      busy: 0,
      joined: budget.join({ held: () => pool.held, onShare: setShare, ...(signal ? { signal } : {}) }),
      get failure() {
        return failure;
      },
      use() {
        pool.held = Math.max(pool.share, Math.min(pool.held, pool.busy));
      },
      kill() {
        process.kill();
        pool.held = 0;
        pool.share = 0;
        const index = pools.indexOf(pool);
        if (index >= 0) pools.splice(index, 1);
      },
    };
    pool.joined.then(setShare, (error: unknown) => {
      failure = error;
    });
    pools.push(pool);
    return pool;
  }

  async function run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      for (const pool of pools) pool.use();
    }
  }
  return { clock, server, pools, add, run, held };
}
