import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Writes give way to searches. Keeping a vector index up to date takes a processor of the server for as long as a write lasts, and
 * lanes share out connections, not processors: with two writes under way on two processors, searches take ten times as long.
 *
 * share 1: nobody searches, or searches are fast; writes run as their callers like. Below 1: one write at a time, in pieces of a few
 * milliseconds, each followed by a rest that makes writing that share of the time. A search then meets no more than a piece. The share follows
 * the latency of searches as TCP's window follows loss (additive increase, multiplicative decrease): cut at every look at which
 * searches are slower than `targetMs`, raised a little at every other.
 */
export interface WriteThrottle extends Disposable {
  /** Runs `write` when it is its turn. Whoever has written does not wait for what is left to rest. */
  run<T>(write: (pace: Pace) => Promise<T>): Promise<T>;
  /** Of the time, in (0, 1]. */
  readonly share: number;
}

/** Of one write. */
export interface Pace {
  /** How many rows the next piece may have, 1 or more. */
  rows(): number;
  /** After a piece of so many rows, which has taken `ms`. */
  rest(rows: number, ms: number): Promise<void>;
}

export const unthrottled: Pick<WriteThrottle, 'run' | 'share'> = {
  run: (write) => write({ rows: () => Number.POSITIVE_INFINITY, rest: async () => {} }),
  share: 1,
};

/** Writes `count` rows, one piece after the other, of `most` rows each at most. */
export async function inPieces(
  count: number,
  pace: Pace,
  write: (from: number, to: number) => Promise<void>,
  most = Number.POSITIVE_INFINITY,
): Promise<void> {
  for (let from = 0; from < count; ) {
    const to = Math.min(count, from + Math.min(most, pace.rows()));
    const start = performance.now();
    await write(from, to);
    await pace.rest(to - from, performance.now() - start);
    from = to;
  }
}

export interface WriteThrottleOptions {
  /** The p95 of the searches of a moment ago in ms; undefined when nobody has searched. */
  readLatency(): Promise<number | undefined>;
  /** Searches are to be no slower, in ms. 0: writes never give way. */
  targetMs: number;
  /** How often it is looked, while there are writes, in ms. Default 1 000. */
  intervalMs?: number;
  /** What writes keep however slow searches are: it may not be their fault. Default 0.1. */
  leastShare?: number;
  onChange?: (change: { share: number; latencyMs: number | undefined }) => void;
  onError?: (error: unknown) => void;
}

const decrease = 0.6;
const increase = 0.05;
// About what a scheduler gives one process before the next.
const pieceMs = 5;
const firstPiece = 4;
// A long write is one document, whose locks others wait for, and may have been slow for reasons of its own.
const maxRestMs = 10_000;
const maxPauseMs = 5_000;

export function createWriteThrottle({
  readLatency,
  targetMs,
  intervalMs = 1_000,
  leastShare = 0.1,
  onChange = () => {},
  onError = () => {},
}: WriteThrottleOptions): WriteThrottle {
  const waiting: (() => void)[] = [];
  const closing = new AbortController();
  let share = 1;
  let running = 0;
  let pausedUntil = 0;
  let pauseTimer: NodeJS.Timeout | undefined;
  let busy = false;
  let looking = false;
  let msPerRow = pieceMs / firstPiece;

  function admit(): void {
    while (waiting.length > 0) {
      if (share < 1) {
        if (running > 0) return;
        const left = pausedUntil - performance.now();
        if (left > 0) {
          clearTimeout(pauseTimer);
          pauseTimer = setTimeout(admit, left);
          return;
        }
      }
      running += 1;
      waiting.shift()?.();
    }
  }

  function nextShare(latencyMs: number | undefined): number {
    if (latencyMs === undefined) return 1;
    return latencyMs > targetMs ? Math.max(leastShare, share * decrease) : Math.min(1, share + increase);
  }

  async function look(): Promise<void> {
    if (looking || !(busy || running > 0 || waiting.length > 0)) return;
    busy = false;
    looking = true;
    try {
      const latencyMs = await readLatency();
      const next = nextShare(latencyMs);
      if (closing.signal.aborted) return;
      if (next < 1 !== share < 1) onChange({ share: next, latencyMs });
      share = next;
      admit();
    } catch (error) {
      onError(error);
    } finally {
      looking = false;
    }
  }
  const timer = targetMs > 0 ? setInterval(look, intervalMs) : undefined;
  timer?.unref();

  const restAfter = (ms: number) => ms * (1 / share - 1);

  return {
    get share() {
      return share;
    },
    async run(write) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        admit();
      });
      const start = performance.now();
      let rested = 0;
      const pace: Pace = {
        rows: () => (share < 1 ? Math.max(1, Math.round(pieceMs / msPerRow)) : Number.POSITIVE_INFINITY),
        async rest(rows, ms) {
          msPerRow += (Math.max(0.01, ms / rows) - msPerRow) / 4;
          const wanted = Math.min(restAfter(ms), maxRestMs - rested);
          if (wanted < 1) return;
          const from = performance.now();
          await sleep(wanted, undefined, { signal: closing.signal }).catch(() => {});
          rested += performance.now() - from;
        },
      };
      try {
        return await write(pace);
      } finally {
        const now = performance.now();
        const owed = restAfter(now - start - rested) - rested;
        pausedUntil = now + Math.min(maxPauseMs, owed);
        running -= 1;
        busy = true;
        admit();
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      share = 1;
      closing.abort();
      admit();
    },
  };
}
