/** What was counted since the start, as Prometheus wants it: each range for itself, the last one for what took longer. */
export interface DurationsReading {
  boundsMs: readonly number[];
  counts: readonly number[];
  sumMs: number;
}

/** As OpenTelemetry advises for connections: https://opentelemetry.io/docs/specs/semconv/database/database-metrics/ */
const boundsMs = [1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000];

/** Durations by range, since the start. */
export class DurationTotals {
  readonly #counts = new Array<number>(boundsMs.length + 1).fill(0);
  #sumMs = 0;

  record(ms: number): void {
    let range = 0;
    while (range < boundsMs.length && ms > (boundsMs[range] as number)) range += 1;
    (this.#counts[range] as number) += 1;
    this.#sumMs += ms;
  }

  read(): DurationsReading {
    return { boundsMs, counts: [...this.#counts], sumMs: this.#sumMs };
  }
}
