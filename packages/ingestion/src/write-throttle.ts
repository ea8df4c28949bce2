/**
 * Writes give way to searches. Keeping a vector index up to date takes a processor of the server for as long as a write lasts, and
 * lanes share out connections, not processors: with two writes under way on two processors, searches take ten times as long.
 *
 * share 1: nobody searches, or searches are fast; writes run as their callers like. Below 1: one write at a time, each followed by
 * a pause that makes writing that share of the time. The share follows the latency of searches as TCP's window follows
 * loss (additive increase, multiplicative decrease): cut at every look at which searches are slower than `targetMs`, raised a little at every other.
 */
export interface WriteThrottle extends Disposable {
  /** Runs `write` when it is its turn. Whoever has written does not wait for the pause. */
  run<T>(write: () => Promise<T>): Promise<T>;
  /** Of the time, in (0, 1]. */
  readonly share: number;
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
// A long write is one document, and may have been slow for reasons of its own.
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
  let share = 1;
  let running = 0;
  let pausedUntil = 0;
  let pauseTimer: NodeJS.Timeout | undefined;
  let busy = false;
  let looking = false;

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
      try {
        return await write();
      } finally {
        const now = performance.now();
        pausedUntil = now + Math.min(maxPauseMs, (now - start) * (1 / share - 1));
        running -= 1;
        busy = true;
        admit();
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      share = 1;
      admit();
    },
  };
}
