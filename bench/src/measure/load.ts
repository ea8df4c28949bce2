import { setTimeout as sleep } from 'node:timers/promises';
import type { Figures, Metric } from './rounds.ts';
import { quantile } from './statistics.ts';

export const throughput: Metric = { key: 'throughput', title: 'queries/s', better: 'higher' };
export const p50: Metric = { key: 'p50', title: 'p50 ms', better: 'lower' };
export const p95: Metric = { key: 'p95', title: 'p95 ms', better: 'lower' };
export const p99: Metric = { key: 'p99', title: 'p99 ms', better: 'lower' };
/** Answers that were errors, in a round. */
export const errors: Metric = { key: 'errors', title: 'errors', better: 'lower' };

/**
 * How long a load runs before it counts, in ms. With many callers our pool opens overflow that it has closed between two
 * rounds; what that costs is measured by the burst.
 */
export function rampFor(callers: number): number {
  return callers > 100 ? 800 : 300;
}

export interface ClosedLoop {
  callers: number;
  /** Before anything counts, in ms. */
  rampMs: number;
  measureMs: number;
  call: () => Promise<unknown>;
}

/**
 * Callers who each ask again as soon as they have their answer. One who is sent away comes back when the error says so:
 * that counts as an error and not into the times.
 */
export async function runClosedLoop({ callers, rampMs, measureMs, call }: ClosedLoop): Promise<Figures> {
  const times: number[] = [];
  const from = performance.now() + rampMs;
  const until = from + measureMs;
  let failed = 0;
  async function caller(): Promise<void> {
    for (;;) {
      const start = performance.now();
      if (start >= until) return;
      try {
        await call();
        const now = performance.now();
        if (now >= from && now < until) times.push(now - start);
      } catch (error) {
        if (performance.now() >= from) failed += 1;
        await sleep(comeBackInMs(error));
      }
    }
  }
  await Promise.all(Array.from({ length: callers }, caller));
  return { throughput: times.length / (measureMs / 1_000), ...quantiles(times), errors: failed };
}

export interface OpenLoop {
  perSecond: number;
  measureMs: number;
  call: () => Promise<unknown>;
}

/**
 * Callers who come at their own pace, whether or not those before them have been served. Times count from when a call
 * was due, so a loop that is late does not hide what it was late for.
 */
export async function runOpenLoop({ perSecond, measureMs, call }: OpenLoop): Promise<Figures> {
  const times: number[] = [];
  const start = performance.now();
  const calls: Promise<void>[] = [];
  let failed = 0;
  const ask = (due: number) =>
    call().then(
      () => void times.push(performance.now() - due),
      () => {
        failed += 1;
      },
    );
  const count = Math.round((perSecond * measureMs) / 1_000);
  for (let i = 0; i < count; i += 1) {
    const due = start + (i * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    calls.push(ask(due));
  }
  await Promise.all(calls);
  return { ...quantiles(times), errors: failed };
}

function quantiles(times: number[]): Figures {
  const sorted = Float64Array.from(times).sort();
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) };
}

function comeBackInMs(error: unknown): number {
  return (error as { retryAfterMs?: number }).retryAfterMs ?? 10;
}
