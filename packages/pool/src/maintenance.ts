import { backgroundTimer, type Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { ResolvedPoolOptions } from './options.ts';
import { isReachable } from './reachability.ts';
import type { ResourcePool } from './resource-pool.ts';

export interface MaintenanceOptions {
  options: ResolvedPoolOptions;
  resources: ResourcePool<Connection>;
  clock: Clock;
  /** What is to be done beside at every round. */
  also(now: number): void;
  /** A statement has not moved a byte for `stallProbeMs`, and the server can be reached. */
  stalled(connection: Connection): void;
}

/** Rounds that keep the pool in shape while nobody looks: age, idleness, leaks, statements that have stalled. */
export function startMaintenance({ options, resources, clock, also, stalled }: MaintenanceOptions): {
  stop(): void;
} {
  const periodMs = periodOf(options);
  const traffic = new WeakMap<Connection, { bytes: number; since: number }>();
  let timer: unknown;
  let stopped = false;

  async function examine(connection: Connection): Promise<void> {
    const { traffic: before } = connection;
    // Asked without a connection of the pool, which may have none to spare and cannot open any.
    const reachable =
      options.sharedSession || (await isReachable(connection.client, options.connectTimeoutMs));
    // Its statement has ended meanwhile.
    if (connection.traffic !== before) return;
    if (reachable) stalled(connection);
    else connection.giveUp();
  }

  function checkStalled(now: number): void {
    if (options.stallProbeMs === 0) return;
    for (const { resource } of resources.used()) {
      const before = traffic.get(resource);
      if (before?.bytes !== resource.traffic || !resource.busy) {
        traffic.set(resource, { bytes: resource.traffic, since: now });
      } else if (now - before.since >= options.stallProbeMs) {
        traffic.set(resource, { bytes: resource.traffic, since: now });
        void examine(resource);
      }
    }
  }

  function round(): void {
    const now = clock.now();
    resources.closeExpired();
    if (options.idleTimeoutMs > 0) resources.trim(options.idleTimeoutMs, options.minIdle);
    checkStalled(now);
    also(now);
    if (!stopped) timer = backgroundTimer(clock, round, periodMs);
  }

  timer = backgroundTimer(clock, round, periodMs);
  return {
    stop() {
      stopped = true;
      clock.clearTimeout(timer);
    },
  };
}

/** Often enough for the shortest of its limits to be kept within a quarter. */
function periodOf(options: ResolvedPoolOptions): number {
  const limits = [options.recycleMs, options.idleTimeoutMs, options.leakAfterMs, options.stallProbeMs];
  const shortest = Math.min(...limits.filter((ms) => ms > 0));
  return Math.max(20, Math.min(5_000, shortest / 4));
}
