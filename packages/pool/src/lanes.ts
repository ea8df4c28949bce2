import type { Admission } from './admission.ts';
import { Line } from './line.ts';
import type { ResolvedLane } from './options.ts';
import { OverloadDetector } from './overload.ts';
import type { Waiter } from './waiter.ts';

/** One lane at work. `guaranteed` is what is promised now, which is less than asked for when the pool is too small. */
export interface LaneState<T> {
  readonly name: string;
  readonly options: ResolvedLane;
  readonly line: Line<Waiter<T>>;
  readonly overload: OverloadDetector | undefined;
  guaranteed: number;
  held: number;
  /** Mean time between checkout and checkin, in ms, of about the last 50. */
  useMs: number;
  shed: number;
  /** Since when whoever was next had waited long enough for overflow; undefined when the last one had not. */
  lateSince: number | undefined;
  /** How many of other lanes were served while somebody waited here, where nothing is held and nothing promised. */
  passedOver: number;
}

/** After so many of others, a lane without a promise goes first once, so that priority starves nobody. */
const patience = 20;

export interface LanesOptions<T> {
  lanes: Readonly<Record<string, ResolvedLane>>;
  now(): number;
  /** The error for somebody who is sent away, and when to come back, in ms. */
  overloaded(lane: LaneState<T>, waitedMs: number, retryAfterMs: number): unknown;
}

/**
 * Shares, borrowing and the order of the lines.
 *
 * A lane always gets what it is guaranteed: the core holds all promises at once. Beyond that it may borrow from the core
 * what nobody was promised, at once, and any connection up to `max` less the promises that are still open, once it has
 * waited for overflow. So an idle lane's promise is never lent, while everything else is. A lane that is promised nothing,
 * as happens in a small pool, has its turn in spite of its priority when many others had theirs: nobody is starved.
 */
export class Lanes<T> implements Admission<T> {
  readonly #lanes = new Map<string, LaneState<T>>();
  readonly #byPriority: LaneState<T>[];
  readonly #overloaded: LanesOptions<T>['overloaded'];
  readonly #now: () => number;
  #core = 0;
  #max = 0;
  #held = 0;
  #heldInCore = 0;
  #waiting = 0;
  #returnedAt = Number.NEGATIVE_INFINITY;
  /** Sum of what the lanes are guaranteed and do not hold. */
  #promised = 0;

  constructor({ lanes, now, overloaded }: LanesOptions<T>) {
    this.#overloaded = overloaded;
    this.#now = now;
    for (const [name, options] of Object.entries(lanes)) {
      this.#lanes.set(name, {
        name,
        options,
        line: new Line(),
        overload: options.shedding ? new OverloadDetector(options.shedding, now()) : undefined,
        guaranteed: options.guaranteed,
        held: 0,
        useMs: 0,
        shed: 0,
        lateSince: undefined,
        passedOver: 0,
      });
    }
    this.#byPriority = [...this.#lanes.values()].sort((a, b) => a.options.priority - b.options.priority);
  }

  get(name: string): LaneState<T> {
    return this.#lanes.get(name) as LaneState<T>;
  }

  all(): Iterable<LaneState<T>> {
    return this.#lanes.values();
  }

  resize(core: number, max: number): void {
    this.#core = core;
    this.#max = max;
    const guarantees = scaleGuarantees(
      this.#byPriority.map((lane) => lane.options.guaranteed),
      core,
      max - core,
    );
    this.#byPriority.forEach((lane, i) => {
      lane.guaranteed = guarantees[i] as number;
    });
    this.#promised = this.#byPriority.reduce((sum, lane) => sum + missing(lane), 0);
  }

  mayPass(name: string): boolean {
    const lane = this.get(name);
    return lane.line.size === 0 && this.#admits(lane, false);
  }

  taken(name: string, overflow: boolean): void {
    const lane = this.get(name);
    this.#promised -= missing(lane);
    lane.held += 1;
    this.#promised += missing(lane);
    this.#held += 1;
    if (!overflow) this.#heldInCore += 1;
    lane.passedOver = 0;
    if (this.#waiting === 0) return;
    for (const other of this.#byPriority) {
      if (other !== lane && other.line.size > 0 && hasNothing(other)) other.passedOver += 1;
    }
  }

  returned(name: string, overflow: boolean, usedMs: number, now: number): void {
    this.#returnedAt = now;
    const lane = this.get(name);
    this.#promised -= missing(lane);
    lane.held -= 1;
    this.#promised += missing(lane);
    lane.useMs += (usedMs - lane.useMs) * (lane.useMs === 0 ? 1 : 0.02);
    this.#held -= 1;
    if (!overflow) this.#heldInCore -= 1;
  }

  enqueue(waiter: Waiter<T>): void {
    const lane = this.get(waiter.lane);
    if (lane.line.size === 0) lane.overload?.lineIsEmpty(waiter.since);
    lane.line.push(waiter);
    this.#waiting += 1;
    if (lane.line.size > lane.options.maxWaiting) this.#sendAway(lane, waiter, waiter.since);
  }

  remove(waiter: Waiter<T>): boolean {
    const lane = this.get(waiter.lane);
    if (!lane.line.remove(waiter)) return false;
    this.#waiting -= 1;
    if (lane.line.size === 0) {
      lane.lateSince = undefined;
      lane.overload?.lineIsEmpty(this.#now());
    }
    return true;
  }

  next(overflow: boolean): Waiter<T> | undefined {
    let first: LaneState<T> | undefined;
    for (const lane of this.#byPriority) {
      if (lane.line.size === 0 || !this.#admits(lane, overflow)) continue;
      first ??= lane;
      if (lane.passedOver < patience || !hasNothing(lane)) continue;
      first = lane;
      break;
    }
    return first?.overload?.overloaded ? first.line.newest : first?.line.oldest;
  }

  wantedInCore(): number {
    const wanted = { promised: 0, borrowed: 0 };
    for (const lane of this.#byPriority) {
      if (lane.line.size > 0) this.#want(wanted, lane, lane.line.size);
    }
    return wanted.promised + Math.min(wanted.borrowed, Math.max(0, this.#unpromised(false)));
  }

  wantedBeyond(now: number, delayMs: number): { count: number; nextInMs: number | undefined } {
    const wanted = { promised: 0, borrowed: 0 };
    let nextInMs: number | undefined;
    for (const lane of this.#byPriority) {
      if (!lane.line.oldest) continue;
      const late = this.#late(lane, now, delayMs);
      // What was promised is due at once, should the core be lent to others.
      this.#want(wanted, lane, Math.max(late.count, Math.min(lane.line.size, missing(lane))));
      if (late.nextInMs !== undefined) nextInMs = Math.min(nextInMs ?? late.nextInMs, late.nextInMs);
    }
    const count = wanted.promised + Math.min(wanted.borrowed, Math.max(0, this.#unpromised(true)));
    return { count, nextInMs };
  }

  /**
   * How many of a line have waited for so long that more connections are worth it, and when there may be others.
   *
   * When nothing came back for `delayMs`, all who have waited for it. While others are being served, late heads may only be
   * the trace of a pause of the process, or of a server that has enough to do as it is: then heads have to be late for
   * `delayMs` on end, and that is worth one connection, and twice as long another one.
   */
  #late(lane: LaneState<T>, now: number, delayMs: number): { count: number; nextInMs: number | undefined } {
    const before = now - delayMs;
    const head = lane.line.oldest as Waiter<T>;
    if (head.since > before) {
      lane.lateSince = undefined;
      return { count: 0, nextInMs: head.since - before };
    }
    lane.lateSince ??= now;
    if (this.#returnedAt > before) {
      const inMs = Math.min(lane.lateSince, this.#returnedAt) - before;
      if (lane.lateSince > before) return { count: 0, nextInMs: inMs };
      lane.lateSince = now + delayMs;
      return { count: 1, nextInMs: delayMs };
    }
    const room = this.#roomOf(lane);
    let count = 0;
    let waiter: Waiter<T> | undefined = head;
    for (; waiter && count < room && waiter.since <= before; waiter = lane.line.behind(waiter)) count += 1;
    return { count, nextInMs: waiter && count < room ? waiter.since - before : undefined };
  }

  shed(now: number, growing: boolean): number | undefined {
    let nextInMs: number | undefined;
    for (const lane of this.#byPriority) {
      const { overload, line } = lane;
      if (!overload || !line.oldest) continue;
      if (growing) overload.capacityGrows(now);
      // Fewer than are being served are no line that grows, however slow the service is.
      if (line.size > Math.max(1, lane.held)) overload.observe(now, now - line.oldest.since);
      while (overload.overloaded && line.oldest && now - line.oldest.since > overload.targetMs) {
        this.#sendAway(lane, line.oldest, now);
      }
      // A short line becomes a growing one only when somebody joins it or gives back, which is noticed anyway.
      if (!line.oldest || (!overload.overloaded && line.size <= Math.max(1, lane.held))) continue;
      const inMs = overload.nextCheckMs(now, now - line.oldest.since);
      nextInMs = Math.min(nextInMs ?? inMs, inMs);
    }
    return nextInMs;
  }

  waiting(): number {
    return this.#waiting;
  }

  *everybody(): Generator<Waiter<T>> {
    for (const lane of this.#byPriority) yield* lane.line;
  }

  #admits(lane: LaneState<T>, overflow: boolean): boolean {
    if (lane.held >= lane.options.max) return false;
    if (lane.held < lane.guaranteed) return true;
    return this.#unpromised(overflow) > 0;
  }

  /** What may be borrowed. Of the core no more than of all: after a resize more overflow can be out than there should be. */
  #unpromised(overflow: boolean): number {
    const inAll = this.#max - this.#held;
    return (overflow ? inAll : Math.min(inAll, this.#core - this.#heldInCore)) - this.#promised;
  }

  /** How many more it may hold. */
  #roomOf({ options, held }: LaneState<T>): number {
    return Math.max(0, Math.min(options.max, this.#max) - held);
  }

  /** Adds what `waiting` borrowers of a lane could take if it were open: its promise, and what it would have to borrow. */
  #want(wanted: { promised: number; borrowed: number }, lane: LaneState<T>, waiting: number): void {
    const count = Math.min(waiting, this.#roomOf(lane));
    const own = Math.min(count, missing(lane));
    wanted.promised += own;
    wanted.borrowed += count - own;
  }

  #sendAway(lane: LaneState<T>, waiter: Waiter<T>, now: number): void {
    this.remove(waiter);
    lane.shed += 1;
    // By Little's law the line in front is gone after this time.
    const clearsInMs = (lane.line.size * lane.useMs) / Math.max(1, lane.held);
    const retryAfterMs = Math.ceil(Math.max(lane.overload?.targetMs ?? 0, clearsInMs, 100));
    waiter.refuse(this.#overloaded(lane, now - waiter.since, retryAfterMs));
  }
}

function missing(lane: { guaranteed: number; held: number }): number {
  return Math.max(0, lane.guaranteed - lane.held);
}

function hasNothing(lane: { guaranteed: number; held: number }): boolean {
  return lane.guaranteed === 0 && lane.held === 0;
}

/**
 * Promises that fit into `core`. When it is too small for all of them, one connection stays for whoever comes, each lane
 * keeps a promise of one, those that were promised most first, and the rest is shared in proportion. Too small is also a
 * core that leaves nothing to a lane without a promise, unless there is overflow for it.
 */
export function scaleGuarantees(asked: readonly number[], core: number, overflow = 0): number[] {
  const total = asked.reduce((sum, guaranteed) => sum + guaranteed, 0);
  const free = overflow === 0 && asked.includes(0) ? 1 : 0;
  if (total <= core - free) return [...asked];
  let left = Math.max(0, core - 1);
  const kept = asked.map(() => 0);
  const largestFirst = asked.map((_, i) => i).sort((a, b) => (asked[b] as number) - (asked[a] as number));
  for (const i of largestFirst) {
    kept[i] = Math.min(1, asked[i] as number, left);
    left -= kept[i] as number;
  }
  const more = asked.map((guaranteed, i) => guaranteed - (kept[i] as number));
  const wanted = more.reduce((sum, count) => sum + count, 0);
  const share = wanted > 0 ? left / wanted : 0;
  return kept.map((one, i) => one + Math.floor((more[i] as number) * share));
}
