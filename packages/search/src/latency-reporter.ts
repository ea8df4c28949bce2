export interface LatencyReporterOptions {
  /** Tells workers; what it throws is passed to `onError`. */
  report(p95Ms: number): Promise<void>;
  /** Default 1 000. */
  intervalMs?: number;
  onError?: (error: unknown) => void;
}

export interface LatencyReporter extends Disposable {
  /** A search by a vector index has taken so long, in ms, with its wait for a connection. */
  observe(searchMs: number): void;
}

// More would not change the quantile, and a second has thousands of searches.
const maxKept = 4_096;

/** The 95th percentile of the searches since the last report, by nearest rank, told once an interval in which there were some. */
export function createLatencyReporter({
  report,
  intervalMs = 1_000,
  onError = () => {},
}: LatencyReporterOptions): LatencyReporter {
  let seen: number[] = [];
  let reporting = false;

  async function tell(): Promise<void> {
    // A database that is too busy to take a report shall not be sent the next one as well.
    if (reporting || seen.length === 0) return;
    const sorted = seen.sort((a, b) => a - b);
    seen = [];
    reporting = true;
    try {
      await report(sorted[Math.ceil(sorted.length * 0.95) - 1] as number);
    } catch (error) {
      onError(error);
    } finally {
      reporting = false;
    }
  }
  const timer = setInterval(tell, intervalMs);
  timer.unref();
  return {
    observe(searchMs) {
      if (seen.length < maxKept) seen.push(searchMs);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
