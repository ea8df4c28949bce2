/** What a budget has to know of the pool that it is for. */
export interface BudgetMember {
  /** Connections that this process has open, opening or closing right now, dedicated ones (LISTEN) included. */
  held(): number;
  /**
   * The most the process may have from now on. Called for every change after `join`. When it is less than what is
   * held: open nothing, close idle ones, and close the others as they are given back.
   */
  onShare(share: number): void;
  /** Gives up joining. */
  signal?: AbortSignal;
}

export interface BudgetStatus {
  /** `static`, `redis` or `postgres`. */
  driver: string;
  state: 'outside' | 'joining' | 'joined';
  /** Connections that this process may have at most. */
  share: number;
  /** What the store keeps for it; above the share while borrowers finish. */
  granted: number;
  /** Of the database, as far as known (0 before), reserve included. */
  limit: number;
  /** Left for administrators. */
  reserve: number;
  /** Processes with a share, this one included. */
  members: number;
  /** Processes that wait for one. */
  waiting: number;
  weight: number;
  floor: number;
  cap: number;
  /** What is not as it should be, in words. */
  degraded?: string;
}

/** How many connections this process may have, so that all processes together stay below the limit of the database. */
export interface ConnectionBudget extends AsyncDisposable {
  /**
   * Joins the fleet. Resolves with the first share, at least the floor; later ones go to `onShare`. One pool at a time;
   * after `leave` or a rejection it may join again.
   *
   * Rejects with `PoolError` `budget_exhausted` when there is no room for the floor until the deadline, and
   * `budget_unreachable` when the store (or the limit, if it has to be asked for) could not be reached; with the reason
   * of `signal` when that aborts; with `TypeError` when it has joined already.
   */
  join(member: BudgetMember): Promise<number>;
  status(): BudgetStatus;
  /**
   * Gives the share back. To be called when the pool is drained: what is still held then is only given back when the
   * heartbeat expires. Never rejects, safe to call twice.
   */
  leave(): Promise<void>;
}
