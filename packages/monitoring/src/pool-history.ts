import type { PoolStatus } from '@sluice/pool';

/** How a pool was used lately: a single look says little about a pool whose statements take milliseconds. */
export interface PoolUse {
  /** Checked out, of core and overflow: mean of the last minute. */
  usagePercent: number;
  /** Share of the last five minutes in which more than the core was open. */
  overflowPercent: number;
  /** The worst of the lanes that people wait for and that had some borrowers lately, in ms. */
  waitP95Ms: number;
}

export interface PoolHistory extends Disposable {
  use(): PoolUse;
}

interface Sample {
  used: number;
  overflowing: boolean;
}

const overflowSamples = 300;
const usageSamples = 60;
// Writers wait by design: that is how ingestion is held back.
const patientLanes = new Set(['bulk']);

// Of fewer the p95 is the one that came first, to a pool that was still opening its connections.
const leastBorrowers = 100;

const percent = (share: number) => Math.round(share * 1_000) / 10;

export function readPoolUse(samples: readonly Sample[], { lanes }: Pick<PoolStatus, 'lanes'>): PoolUse {
  const recent = samples.slice(-usageSamples);
  const mean = (values: number[]) =>
    values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
  const waits = Object.entries(lanes)
    .filter(([name, lane]) => !patientLanes.has(name) && lane.acquire_wait_ms.count >= leastBorrowers)
    .map(([, lane]) => lane.acquire_wait_ms.p95);
  return {
    usagePercent: percent(mean(recent.map(({ used }) => used))),
    overflowPercent: percent(mean(samples.map(({ overflowing }) => Number(overflowing)))),
    waitP95Ms: Math.max(0, ...waits),
  };
}

/** Looks at a pool once a second. `intervalMs` is for tests. */
export function createPoolHistory(read: () => PoolStatus, { intervalMs = 1_000 } = {}): PoolHistory {
  const samples: Sample[] = [];
  function look(): void {
    const { checked_out: out, pool_size: size, max_overflow: overflow, overflow: beyond } = read();
    samples.push({ used: out / Math.max(1, size + overflow), overflowing: beyond > 0 });
    if (samples.length > overflowSamples) samples.shift();
  }
  look();
  const timer = setInterval(look, intervalMs);
  timer.unref();
  return {
    use: () => readPoolUse(samples, read()),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
