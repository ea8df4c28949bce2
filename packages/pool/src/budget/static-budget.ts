import { PoolError } from '../errors.ts';
import type { ConnectionBudget } from './budget.ts';
import { requireWhole } from './fleet-options.ts';

export interface StaticBudgetOptions {
  /** Connections of the database server, reserve included. */
  limit: number;
  /** Left for administrators. Default 5. */
  reserve?: number;
  /** Processes there are at most, this one included. */
  members: number;
  /** Against the weights of the others. Default 1. */
  weight?: number;
  /** Sum of the weights of all processes. Default: all have the weight of this one. */
  totalWeight?: number;
  /** A share below this is an error. Default 2. */
  floor?: number;
  /** Most connections of use to this process. Default: no cap. */
  cap?: number;
}

/**
 * A constant share: `(limit - reserve) * weight / totalWeight`, rounded down. Nothing to run and nothing to fail, but
 * what a process that is not there leaves over stays unused, and one process more than `members` exceeds the limit.
 *
 * Throws `PoolError` `budget_exhausted` when that is below the floor, `RangeError` for options that make no sense.
 */
export function createStaticBudget(options: StaticBudgetOptions): ConnectionBudget {
  const { limit, reserve = 5, members, weight = 1, totalWeight = members * weight } = options;
  const { floor = 2, cap = Number.MAX_SAFE_INTEGER } = options;
  requireWhole('limit', limit, 1);
  requireWhole('reserve', reserve, 0);
  requireWhole('members', members, 1);
  requireWhole('floor', floor, 1);
  if (!(weight > 0 && totalWeight >= weight && Number.isFinite(totalWeight)))
    throw new RangeError(`weight ${weight} of ${totalWeight}: above 0, and not more than all together`);
  if (!(cap >= floor)) throw new RangeError(`cap ${cap}: at least the floor (${floor})`);
  const share = Math.min(cap, Math.floor(((limit - reserve) * weight) / totalWeight));
  if (share < floor) {
    throw new PoolError(
      'budget_exhausted',
      `a limit of ${limit} connections with a reserve of ${reserve} gives each of ${members} members ${Math.max(0, share)}, ` +
        `below the floor of ${floor}. Raise max_connections, run fewer processes, or lower the floor or the reserve.`,
      { retryable: false },
    );
  }
  let joined = false;
  async function leave(): Promise<void> {
    joined = false;
  }
  return {
    async join({ signal }) {
      if (joined) throw new TypeError('this budget has been joined already');
      signal?.throwIfAborted();
      joined = true;
      return share;
    },
    status: () => ({
      driver: 'static',
      state: joined ? 'joined' : 'outside',
      share: joined ? share : 0,
      granted: joined ? share : 0,
      limit,
      reserve,
      members,
      waiting: 0,
      weight,
      floor,
      cap,
    }),
    leave,
    [Symbol.asyncDispose]: leave,
  };
}
