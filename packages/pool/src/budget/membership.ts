import { memberId, type ResolvedFleetOptions } from './fleet-options.ts';
import { commonLimit, targetShares } from './line.ts';
import type { ExchangeAnswer, ExchangeRequest, MemberRecord } from './store.ts';

interface Holder {
  held(): number;
  onShare(share: number): void;
}

/**
 * What one member knows, and what it makes of it; without timers.
 *
 * Invariant: what the pool may hold (its share, or what it has not given back yet) is never above the grant in the
 * store. The share falls before the store hears of it, and rises after the store has granted it. Every request says
 * the most that may be held until its answer comes, so that the store never grants less than that.
 */
export class Membership {
  readonly id: string;
  readonly #options: ResolvedFleetOptions;
  readonly #holder: Holder;
  #members: MemberRecord[] = [];
  #share = 0;
  #granted = 0;
  #turn = 0;
  #renewedAt: number;
  #changedAt: number;
  #fenced = false;
  #settling = false;

  constructor(options: ResolvedFleetOptions, holder: Holder) {
    this.id = memberId(options.name);
    this.#options = options;
    this.#holder = holder;
    this.#renewedAt = options.clock.now();
    this.#changedAt = this.#renewedAt;
  }

  get share(): number {
    return this.#share;
  }

  get granted(): number {
    return this.#granted;
  }

  get members(): readonly MemberRecord[] {
    return this.#members;
  }

  get fenced(): boolean {
    return this.#fenced;
  }

  get settling(): boolean {
    return this.#settling;
  }

  /** Milliseconds until the share has to be fenced if the store is not heard of. */
  get fenceInMs(): number {
    return this.#renewedAt + this.#options.fenceMs - this.#options.clock.now();
  }

  /** Whether grants are still on their way to the targets, and something happened lately. */
  get inMotion(): boolean {
    if (this.#options.clock.now() - this.#changedAt > this.#options.ttlMs) return false;
    const targets = targetShares(this.#members);
    return this.#members.some(({ id, granted }) => (targets.get(id) ?? 0) !== granted);
  }

  nextRequest(limit: number): ExchangeRequest {
    const { weight, floor, cap, ttlMs } = this.#options;
    const target = targetShares(this.#members).get(this.id) ?? floor;
    this.#turn += 1;
    return {
      id: this.id,
      weight,
      floor,
      cap,
      ttlMs,
      limit,
      turn: this.#turn,
      held: Math.max(this.#holder.held(), this.#share),
      request: this.#share > 0 ? target : Math.max(floor, target),
    };
  }

  /** Keeps a place for what is still held and nothing else. */
  lastRequest(limit: number): ExchangeRequest {
    this.#share = 0;
    const request = this.nextRequest(limit);
    const { held, floor } = request;
    return { ...request, request: 0, floor: Math.min(floor, held), cap: held };
  }

  accept(answer: ExchangeAnswer, sentAt: number): void {
    if (picture(answer.members) !== picture(this.#members)) this.#changedAt = this.#options.clock.now();
    this.#members = answer.members;
    this.#granted = answer.granted;
    this.#settling = answer.settling;
    this.#renewedAt = sentAt;
    this.#fenced = false;
    const target = targetShares(answer.members).get(this.id) ?? 0;
    this.#setShare(Math.min(answer.granted, target));
  }

  /** The store is out of reach, or this process was suspended: keeps what the others leave it, or will soon take. */
  fence(): void {
    const { floor, staticMembers } = this.#options;
    this.#fenced = true;
    let most = floor;
    if (staticMembers !== undefined) {
      const seen = this.#members.filter(({ granted }) => granted > 0).length;
      most = Math.max(floor, Math.floor(commonLimit(this.#members) / Math.max(seen, staticMembers)));
    }
    this.#setShare(Math.min(this.#share, most));
  }

  #setShare(share: number): void {
    if (share === this.#share) return;
    this.#share = share;
    this.#holder.onShare(share);
  }
}

function picture(members: readonly MemberRecord[]): string {
  return members
    .map(({ id, granted, limit }) => `${id}:${granted}:${limit}`)
    .sort()
    .join();
}
