import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type Labels = Record<string, string | number>;
type Samples = Iterable<readonly [labels: Labels, value: number]>;

interface Described {
  name: string;
  help: string;
  labelNames?: readonly string[];
}

/** A gauge whose values are read when they are asked for. */
export function readGauge(
  registry: Registry,
  about: Described,
  read: () => Samples | Promise<Samples>,
): void {
  new Gauge<string>({
    ...about,
    labelNames: about.labelNames ?? [],
    registers: [registry],
    async collect() {
      const found = read();
      // At once: other readings of the same scrape borrow connections.
      const samples = found instanceof Promise ? await found : [...found];
      this.reset();
      for (const [labels, value] of samples) this.set(labels, value);
    },
  });
}

/** A counter of what somebody else counts anyway. */
export function readCounter(registry: Registry, about: Described, read: () => Samples): void {
  new Counter<string>({
    ...about,
    labelNames: about.labelNames ?? [],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.inc(labels, value);
    },
  });
}

/** What a histogram has counted: `counts` has one more entry than `boundsMs`, for what was longer than the last one. */
export interface HistogramReading {
  boundsMs: readonly number[];
  counts: readonly number[];
  sumMs: number;
}

/** prom-client's histogram can only be told; this one is read. */
class ReadHistogram extends Histogram<string> {
  readonly #read: () => Iterable<readonly [labels: Labels, reading: HistogramReading]>;
  readonly #about: Described;

  constructor(
    registry: Registry,
    about: Described,
    read: () => Iterable<readonly [labels: Labels, reading: HistogramReading]>,
  ) {
    super({ ...about, labelNames: about.labelNames ?? [], registers: [registry] });
    this.#read = read;
    this.#about = about;
  }

  /** What the registry asks histograms for. */
  getForPromString() {
    return this.get();
  }

  override async get() {
    const { name, help } = this.#about;
    const values = [...this.#read()].flatMap(([labels, { boundsMs, counts, sumMs }]) => {
      let total = 0;
      const buckets = counts.map((count, i) => {
        total += count;
        const bound = boundsMs[i];
        const le = bound === undefined ? '+Inf' : bound / 1_000;
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
      });
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: sumMs / 1_000 },
        { metricName: `${name}_count`, labels, value: total },
      ];
    });
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as unknown as Awaited<
      ReturnType<Histogram<string>['get']>
    >;
  }
}

/** Durations that somebody else has counted, in seconds. */
export function readHistogram(
  registry: Registry,
  about: Described,
  read: () => Iterable<readonly [labels: Labels, reading: HistogramReading]>,
): void {
  new ReadHistogram(registry, about, read);
}
