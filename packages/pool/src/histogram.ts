import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Clock } from './clock.ts';
import { DurationTotals } from './duration-totals.ts';

/** Milliseconds; 0 when there was nothing to measure. */
export interface Quantiles {
  count: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

const perMs = 1_000;
const longestMs = 3_600_000;

/**
 * Durations of the last one to two windows: what was an hour ago says nothing about now. Kept as HDR histograms of
 * microseconds, two significant digits; what took longer than an hour counts as an hour.
 */
export class RecentDurations {
  readonly #clock: Clock;
  readonly #windowMs: number;
  /** Since the start. */
  readonly totals = new DurationTotals();
  #current = newHistogram();
  #previous = newHistogram();
  #turnsAt: number;

  constructor(clock: Clock, windowMs = 60_000) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#turnsAt = clock.now() + windowMs;
  }

  /** `now`: for who has just asked the clock. */
  record(ms: number, now = this.#clock.now()): void {
    this.#turn(now);
    this.totals.record(ms);
    this.#current.record(Math.max(1, Math.round(Math.min(ms, longestMs) * perMs)));
  }

  quantiles(): Quantiles {
    this.#turn(this.#clock.now());
    const both = newHistogram();
    if (this.#previous.count > 0) both.add(this.#previous);
    if (this.#current.count > 0) both.add(this.#current);
    if (both.count === 0) return { count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 };
    const at = (percentile: number) => both.percentile(percentile) / perMs;
    return {
      count: both.count,
      mean: both.mean / perMs,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      max: both.max / perMs,
    };
  }

  #turn(now: number): void {
    if (now < this.#turnsAt) return;
    // After a long silence the last window is as old as the one before.
    this.#previous = now < this.#turnsAt + this.#windowMs ? this.#current : newHistogram();
    this.#current = newHistogram();
    this.#turnsAt = now + this.#windowMs;
  }
}

function newHistogram(): RecordableHistogram {
  return createHistogram({ figures: 2, highest: longestMs * perMs });
}
