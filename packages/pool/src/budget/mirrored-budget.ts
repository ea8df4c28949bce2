import type { BudgetMember, ConnectionBudget } from './budget.ts';

export interface MirroredBudget {
  /** For the pool of the primary. It alone joins the fleet. */
  primary: ConnectionBudget;
  /** For the pool of one standby, which gets what the primary's pool gets, as soon as that has joined. */
  standby(): ConnectionBudget;
}

/**
 * One share for a primary and its standbys: on each of them the process may have as many connections as on the primary. That keeps
 * the fleet below the limit of every standby without asking it, because a standby has to allow at least the connections
 * that its primary allows: https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN
 *
 * What the fleet is told of as held is the most on any of them, so a share is given back only when all have shrunk.
 */
export function createMirroredBudget(budget: ConnectionBudget): MirroredBudget {
  const pools = new Set<BudgetMember>();
  const first = Promise.withResolvers<void>();
  let share = 0;

  function setShare(next: number): void {
    share = next;
    for (const pool of pools) pool.onShare(next);
  }

  async function joinFleet(primary: BudgetMember): Promise<number> {
    const given = await budget.join({
      held: () => Math.max(primary.held(), ...[...pools].map((pool) => pool.held())),
      onShare(next) {
        setShare(next);
        primary.onShare(next);
      },
      ...(primary.signal && { signal: primary.signal }),
    });
    setShare(given);
    first.resolve();
    return given;
  }

  function createStandby(): ConnectionBudget {
    let own: BudgetMember | undefined;
    async function leave(): Promise<void> {
      if (own) pools.delete(own);
      own = undefined;
    }
    return {
      async join(member) {
        await untilAborted(first.promise, member.signal);
        own = member;
        pools.add(member);
        return share;
      },
      status: () => budget.status(),
      leave,
      [Symbol.asyncDispose]: leave,
    };
  }

  return {
    primary: {
      join: joinFleet,
      status: () => budget.status(),
      leave: () => budget.leave(),
      [Symbol.asyncDispose]: () => budget.leave(),
    },
    standby: createStandby,
  };
}

async function untilAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
