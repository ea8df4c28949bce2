import { setTimeout as sleep } from 'node:timers/promises';
import type { Counters } from './counters.ts';
import type { PoolEvent } from './events.ts';
import { check, type ResolvedPoolOptions } from './options.ts';

export interface SizingOptions {
  options: Pick<ResolvedPoolOptions, 'size' | 'maxOverflow' | 'budget' | 'dedicated'>;
  counters: Counters;
  emit: ((event: PoolEvent) => void) | undefined;
  /** Connections of the pool that the server has now. */
  held(): number;
  apply(core: number, max: number): void;
}

/** Room for a connection beside the pool. */
export interface Aside {
  /** Resolves when the pool has given way; rejects when `signal` is aborted before. */
  room(signal: AbortSignal): Promise<void>;
  /** Gives the room back to the pool. */
  release(): void;
}

export interface Sizing {
  /** Resolves when the pool may open connections. Rejects when the first attempt to join the budget failed; others follow. */
  readonly joined: Promise<void>;
  /** Why no connection may be opened now. */
  readonly refused: unknown;
  readonly share: number | undefined;
  resize(size: number, maxOverflow: number): void;
  /** Connections beside the pool that were asked for at run time, open or not. */
  readonly setAside: number;
  /** One more of them, to which the pool gives way. */
  putAside(): Aside;
  leave(): Promise<void>;
}

const lookAgainMs = 25;
const joinAgainMs = 500;

/** How large the pool is: as configured, and never more than its share of the fleet's budget less dedicated connections. */
export function createSizing({ options, counters, emit, held, apply }: SizingOptions): Sizing {
  const { budget } = options;
  const leaving = new AbortController();
  let { size, maxOverflow } = options;
  let share = budget ? 0 : undefined;
  let refused: unknown;
  let inFleet = false;
  let setAside = 0;
  let admitted = 0;
  let applied: { core: number; max: number } | undefined;

  const dedicated = () => options.dedicated + setAside;

  function fit(reason: string): void {
    const room = share === undefined ? Number.POSITIVE_INFINITY : Math.max(0, share - dedicated());
    const max = Math.min(size + maxOverflow, room);
    const core = Math.min(size, max);
    if (applied?.core === core && applied.max === max) return;
    const first = applied === undefined;
    applied = { core, max };
    apply(core, max);
    if (first) return;
    counters.resizes += 1;
    emit?.({ type: 'resize', size: core, maxOverflow: max - core, reason });
  }

  function setShare(next: number): void {
    share = next;
    fit('budget');
  }

  async function tryToJoin(): Promise<void> {
    if (!budget) return;
    try {
      const first = await budget.join({
        // What is dedicated is opened out of the first share, which the floor has to cover. A share that falls to nothing
        // later does not mean that nothing is held.
        held: () => (inFleet ? held() + dedicated() : 0),
        onShare: setShare,
        signal: leaving.signal,
      });
      inFleet = true;
      setShare(first);
      refused = undefined;
    } catch (error) {
      refused = error;
      throw error;
    }
  }

  /** What keeps it out may pass: a store that is not up yet, a fleet that is too large for now. */
  async function keepTrying(): Promise<void> {
    while (!leaving.signal.aborted) {
      // Whoever waits for a connection keeps the process alive, not this.
      await sleep(joinAgainMs, undefined, { ref: false });
      if (leaving.signal.aborted) return;
      const joinedNow = await tryToJoin().then(
        () => true,
        () => false,
      );
      if (joinedNow) return;
    }
  }

  fit('configured');
  const joined = tryToJoin();
  // Whoever waits for it is told; if nobody does, their first borrowing is.
  joined.catch(() => void keepTrying());

  return {
    joined,
    get refused() {
      return refused;
    },
    get share() {
      return share;
    },
    resize(nextSize, nextOverflow) {
      check('size', nextSize, 0, true);
      check('maxOverflow', nextOverflow, 0, true);
      size = nextSize;
      maxOverflow = nextOverflow;
      fit('caller');
    },
    get setAside() {
      return setAside;
    },
    putAside() {
      let state: 'waiting' | 'admitted' | 'released' = 'waiting';
      const change = (by: 1 | -1) => {
        setAside += by;
        if (budget) fit('listening');
      };
      change(1);
      return {
        async room(signal) {
          // One after the other, so that two that wait do not keep each other from the room there is for one.
          while (budget && state === 'waiting' && held() + options.dedicated + admitted >= (share ?? 0)) {
            await sleep(lookAgainMs, undefined, { signal });
          }
          signal.throwIfAborted();
          if (state === 'waiting') admitted += 1;
          state = 'admitted';
        },
        release() {
          if (state === 'released') return;
          if (state === 'admitted') admitted -= 1;
          state = 'released';
          change(-1);
        },
      };
    },
    async leave() {
      leaving.abort();
      await budget?.leave();
    },
  };
}
