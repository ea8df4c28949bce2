import type { BudgetMember, ConnectionBudget } from './budget.ts';
import { type FleetBudgetOptions, resolveFleetOptions } from './fleet-options.ts';
import { createLimitSource } from './limit.ts';
import { openSession, type Session } from './session.ts';

/**
 * A share of the database's connections that follows the fleet: recomputed, by weights above floors, when members join,
 * leave or are not heard of for `ttlMs`. All members together hold at most `limit - reserve`:
 *
 * - The store keeps a grant for each member, and the grants never add up to more. A share falls before the store hears
 *   of it and rises after the store has granted it; a grant falls only to what is really held.
 * - The store out of reach for all: nobody grows, nobody joins (`budget_unreachable`), and nobody is taken for dead
 *   because of it afterwards. Safe for any time.
 * - One member out of reach: it fences itself to its floor after 0.6 ttl, and the others take its grant after one ttl.
 *   What it does not give back in between (long borrowers) and its floor are then beyond the limit, until it is back.
 *   `reserve` is there for that. A floor of 0 would be exact and stop all work whenever the store is down; for the
 *   opposite choice see `staticMembers`.
 * - Suspended for longer than the ttl (SIGSTOP, sleep, an event loop that stands still): it wakes up with connections
 *   that the others may have taken over. It falls to its floor at once, says what it holds, and all shrink to make room.
 * - Killed: the server closes its connections when it sees the sockets close, which is long before the ttl ends. It does
 *   not see that of a machine that vanishes; keep `tcp_keepalives_idle` of the server low.
 * - State lost (flush, crash, failover): see ledger.ts. Newcomers wait until members have come back.
 *
 * Connections that are made without asking, and clients that are not members, are not counted; the reserve has to be
 * high enough for them.
 */
export function createFleetBudget(fleetOptions: FleetBudgetOptions): ConnectionBudget {
  const options = resolveFleetOptions(fleetOptions);
  const { store, reserve, weight, floor, cap, clock } = options;
  const limit = createLimitSource(options.limit, reserve, clock);
  let session: Session | undefined;

  async function join(member: BudgetMember): Promise<number> {
    if (session) throw new TypeError('this budget has been joined already');
    member.signal?.throwIfAborted();
    const opened = openSession(options, limit, member);
    session = opened;
    try {
      return await opened.first;
    } catch (error) {
      if (session === opened) session = undefined;
      throw error;
    }
  }

  async function leave(): Promise<void> {
    const leaving = session;
    await leaving?.leave();
    if (session === leaving) session = undefined;
  }

  return {
    join,
    leave,
    status: () => ({
      driver: store.driver,
      ...(session?.status() ?? { state: 'outside', share: 0, granted: 0, members: 0, waiting: 0 }),
      limit: limit.known ?? 0,
      reserve,
      weight,
      floor,
      cap,
    }),
    [Symbol.asyncDispose]: leave,
  };
}
