import type { ShareClaim } from './shares.ts';

/** One heartbeat of a member. */
export interface ExchangeRequest extends ShareClaim {
  /**
   * Most connections that the member may have open, opening or closing until the answer is there: what it holds, or
   * its share if that is higher. The store never grants less, since that would not be true.
   */
  held: number;
  /** Connections that it would like to have. At least the floor from a member that is not admitted yet. */
  request: number;
  /** The member counts as dead when it has not been heard of for this long, in milliseconds by the store's clock. */
  ttlMs: number;
  /** Connections that the fleet may have together. When members declare different ones, the lowest counts. */
  limit: number;
  /** Rises with every call of this member. A call that arrives after a later one changes nothing. */
  turn: number;
}

/** What the store knows of a living member. */
export interface MemberRecord extends ShareClaim {
  held: number;
  /** 0: it waits to be admitted. */
  granted: number;
  limit: number;
  /** Order of arrival, and so the order in the line of those that wait. */
  place: number;
}

export interface ExchangeAnswer {
  granted: number;
  /** All living members and those that wait, the caller included. */
  members: MemberRecord[];
  /** The store's state is so new that members may exist which it does not know yet; nobody grows. */
  settling: boolean;
}

/**
 * Where the fleet keeps its grants. Every call may fail. One that takes too long is given up and not waited for, so it
 * should end by itself some time; what it still does then has no effect, thanks to `turn`.
 */
export interface FleetStore {
  /** For people: `redis`, `postgres`. */
  readonly driver: string;
  /** Atomic: renews the caller's heartbeat, forgets the dead, and settles the caller's grant (see ledger.ts). */
  exchange(request: ExchangeRequest): Promise<ExchangeAnswer>;
  /** Forgets a member. What it was granted is free at once. */
  leave(id: string): Promise<void>;
}
