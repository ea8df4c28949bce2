import type { Counters } from './counters.ts';
import type { PoolEvent } from './events.ts';
import type { ResolvedPoolOptions } from './options.ts';

export interface SizingOptions {
  options: Pick<ResolvedPoolOptions, 'size' | 'maxOverflow' | 'budget' | 'dedicated'>;
  counters: Counters;
  emit: ((event: PoolEvent) => void) | undefined;
  /** Listening connections, wanted or open. */
  listening(): number;
  /** Connections of the pool that the server has now. */
  held(): number;
  apply(core: number, max: number): void;
}

export interface Sizing {
  /** Resolves when the pool may open connections. Rejects when the first attempt to join the budget failed; others follow. */
  readonly joined: Promise<void>;
  /** Why no connection may be opened now. */
  readonly refused: unknown;
  readonly share: number | undefined;
  resize(size: number, maxOverflow: number): void;
  /** The number of listening connections has changed. Resolves when there is room for them. */
  makeRoom(): Promise<void>;
  leave(): Promise<void>;
}

const lookAgainMs = 25;
const joinAgainMs = 500;

/** How large the pool is: as configured, and never more than its share of the fleet's budget less dedicated connections. */
export function createSizing({ options, counters, emit, listening, held, apply }: SizingOptions): Sizing {
  const { budget } = options;
  const leaving = new AbortController();
  let { size, maxOverflow } = options;
  let share = budget ? 0 : undefined;
  let refused: unknown;

  const dedicated = () => options.dedicated + listening();

  function fit(reason: string): void {
    const room = share === undefined ? Number.POSITIVE_INFINITY : Math.max(0, share - dedicated());
    const max = Math.min(size + maxOverflow, room);
    const core = Math.min(size, max);
    apply(core, max);
    if (reason === 'start') return;
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
      setShare(
        await budget.join({
          // What is dedicated is opened out of the first share, which the floor has to cover.
          held: () => (share ? held() + dedicated() : 0),
          onShare: setShare,
          signal: leaving.signal,
        }),
      );
      refused = undefined;
    } catch (error) {
      refused = error;
      throw error;
    }
  }

  /** What keeps it out may pass: a store that is not up yet, a fleet that is too large for now. */
  async function keepTrying(): Promise<void> {
    while (!leaving.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, joinAgainMs));
      if (
        await tryToJoin().then(
          () => true,
          () => false,
        )
      )
        return;
    }
  }

  fit('start');
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
      size = nextSize;
      maxOverflow = nextOverflow;
      fit('caller');
    },
    async makeRoom() {
      if (!budget) return;
      fit('listening');
      while (held() + dedicated() > (share ?? 0)) {
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
        if (leaving.signal.aborted) return;
      }
    },
    async leave() {
      leaving.abort();
      await budget?.leave();
    },
  };
}
