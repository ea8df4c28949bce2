import { randomUUID } from 'node:crypto';
import {
  oneAfterTheOther,
  type RateGovernor,
  type RateGovernorOptions,
  resolveRateLimits,
} from '../rate-governor.ts';
import { createSlidingWindow } from '../sliding-window.ts';
import { createSharedLine, type RedisScripts } from './shared-line.ts';

export interface FleetRateGovernorOptions extends RateGovernorOptions {
  /** Better a client that fails soon than one that queues; an answer later than a second counts as none. */
  redis: RedisScripts;
  /** What the limits are for, see `rateLimitName`. Processes with the same name share them. */
  name: string;
  /** Start of the keys. Default `sluice:rate:`. */
  prefix?: string;
  /** Called when Redis is lost (with its error) and when it is back. Must not throw. */
  onChange?(change: FleetRateChange): void;
}

export interface FleetRateChange {
  /** Whether the limits are shared now. If not, this process keeps to its part of them. */
  readonly shared: boolean;
  /** Processes that have used the limits within the last window, as far as is known. */
  readonly members: number;
  readonly error: Error | undefined;
}

/** After Redis failed, how long it is not asked again, so that requests do not wait for it one after the other. */
const askAgainAfterMs = 5_000;

/**
 * Keeps the requests of all processes together under the provider's limits, in any window, by Redis and its clock.
 *
 * Each process lines up with one request at a time, so that one with a single request waits no longer than for one request of each
 * other process. Requests that wait count for those behind them as if they had been sent: whoever comes later may go first only
 * where that delays nobody, and a large request is not starved by small ones. A place in the line is kept while its owner asks
 * again in time, at least once a second; that of a process that died is free two seconds later.
 *
 * Without Redis a process keeps to its own part: the limits, divided by the number of processes that were there last. It says
 * afterwards what it has sent meanwhile.
 */
export function createFleetRateGovernor(options: FleetRateGovernorOptions): RateGovernor {
  const { limits, windowMs, unlimited } = resolveRateLimits(options);
  const line = createSharedLine(options.redis, {
    prefix: options.prefix ?? 'sluice:rate:',
    name: options.name,
    id: randomUUID(),
    limits,
    windowMs,
  });
  const sent = createSlidingWindow(windowMs);
  const unreported = createSlidingWindow(windowMs);
  let members = 1;
  let pausedUntil = 0;
  let shared = true;
  let askAgainAt = 0;

  function change(nowShared: boolean, error?: Error): void {
    if (shared === nowShared) return;
    shared = nowShared;
    options.onChange?.({ shared, members, error });
  }

  async function take(tokens: number): Promise<number> {
    const now = performance.now();
    if (pausedUntil > now) return pausedUntil - now;
    if (askAgainAt > now) return takeOwnPart(tokens);
    try {
      return await takeShared(tokens);
    } catch (error) {
      askAgainAt = performance.now() + askAgainAfterMs;
      change(false, error as Error);
      return takeOwnPart(tokens);
    }
  }

  async function takeShared(tokens: number): Promise<number> {
    const answer = await line.take(tokens, unreported.total());
    unreported.clear();
    members = Math.max(1, answer.members);
    change(true);
    if (answer.waitMs === 0 && !unlimited) sent.add(1, tokens);
    return answer.waitMs;
  }

  function takeOwnPart(tokens: number): number {
    if (unlimited) return 0;
    const ms = sent.delay(tokens, { requests: ownPart(limits.requests), tokens: ownPart(limits.tokens) });
    if (ms > 0) return ms;
    sent.add(1, tokens);
    unreported.add(1, tokens);
    return 0;
  }

  function ownPart(limit: number): number {
    return Math.max(1, Math.floor(limit / members));
  }

  return {
    acquire: oneAfterTheOther(limits.tokens, take, () => void line.leave().catch(() => {})),
    pause(ms) {
      if (ms <= 0) return;
      pausedUntil = Math.max(pausedUntil, performance.now() + ms);
      if (performance.now() >= askAgainAt) void line.pause(ms).catch(() => {});
    },
  };
}
