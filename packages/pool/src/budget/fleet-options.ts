import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Clock, createClock } from './clock.ts';
import type { Limit } from './limit.ts';
import type { FleetStore } from './store.ts';

export interface FleetBudgetOptions {
  store: FleetStore;
  /** Connections of the database server, reserve included: its `max_connections`, or a function that asks for it. */
  limit: Limit;
  /**
   * Connections that the fleet leaves alone, for administrators and for what it cannot know: superusers' 3, migrations,
   * and a floor for each member that may be cut off from the store alone (see `createFleetBudget`). Default 5.
   */
  reserve?: number;
  /** Against the weights of the others: 2 gets twice as much as 1. Default 1. */
  weight?: number;
  /** Fewest connections to work with. High floors make shares even, and let fewer members in. Default 2. */
  floor?: number;
  /** Most connections of use to this process: the size of its pool with overflow. Default: no cap. */
  cap?: number;
  /** Shown to other members, with a random part behind it. Default: host name and process id. */
  name?: string;
  /** Between heartbeats, in ms; a fifth of it while shares are in motion. Default 1 000. */
  heartbeatMs?: number;
  /**
   * Silence after which a member counts as dead, in ms, at least 4 heartbeats. Longer forgives longer stalls of a
   * process; shorter gives a dead member's share away sooner. The same for all members. Default 5 000.
   */
  ttlMs?: number;
  /** Longest wait for the first share, in ms. Default 30 000. */
  joinTimeoutMs?: number;
  /**
   * Processes there are at most. With it a member that does not reach the store keeps up to an equal part of the limit
   * in place of its floor: more throughput when the store is down for all, a larger excess when one alone is cut off.
   * Default: none, the floor.
   */
  staticMembers?: number;
  /** For tests. */
  clock?: Clock;
}

export interface ResolvedFleetOptions extends Required<Omit<FleetBudgetOptions, 'staticMembers'>> {
  staticMembers: number | undefined;
  /** Without an answer of the store for this long the share is fenced, well before others take the member for dead. */
  fenceMs: number;
  /** Longest wait for one answer of the store. */
  answerMs: number;
  /** Between heartbeats while shares are in motion. */
  quickMs: number;
}

const NO_CAP = 2 ** 31 - 1;

/** Throws `RangeError` that names the option. */
export function resolveFleetOptions(options: FleetBudgetOptions): ResolvedFleetOptions {
  const { reserve = 5, weight = 1, floor = 2, cap = NO_CAP } = options;
  const { heartbeatMs = 1_000, ttlMs = 5_000, joinTimeoutMs = 30_000 } = options;
  requireWhole('reserve', reserve, 0);
  requireWhole('floor', floor, 1);
  requireWhole('cap', cap, floor);
  requireThat(weight > 0 && Number.isFinite(weight), `weight ${weight}: has to be above 0`);
  requireThat(heartbeatMs >= 1 && Number.isFinite(heartbeatMs), `heartbeatMs ${heartbeatMs}: at least 1`);
  requireThat(
    ttlMs >= 4 * heartbeatMs && ttlMs < NO_CAP,
    `ttlMs ${ttlMs}: at least 4 times heartbeatMs (${heartbeatMs})`,
  );
  requireThat(
    joinTimeoutMs > 0 && joinTimeoutMs <= NO_CAP,
    `joinTimeoutMs ${joinTimeoutMs}: has to be above 0`,
  );
  if (options.staticMembers !== undefined) requireWhole('staticMembers', options.staticMembers, 1);
  if (typeof options.limit === 'number') requireWhole('limit', options.limit, reserve + floor);
  return {
    ...options,
    reserve,
    weight,
    floor,
    cap,
    heartbeatMs,
    ttlMs,
    joinTimeoutMs,
    staticMembers: options.staticMembers,
    name: options.name ?? `${hostname()}/${process.pid}`,
    clock: options.clock ?? createClock(),
    fenceMs: 0.6 * ttlMs,
    answerMs: 0.3 * ttlMs,
    quickMs: heartbeatMs / 5,
  };
}

export function memberId(name: string): string {
  return `${name}/${randomUUID().slice(0, 8)}`;
}

export function requireWhole(option: string, value: number, least: number): void {
  requireThat(
    Number.isInteger(value) && value >= least && value <= NO_CAP,
    `${option} ${value}: a whole number, at least ${least}`,
  );
}

function requireThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new RangeError(message);
}
