import type { Registry } from 'prom-client';
import { type Labels, readCounter, readGauge } from './reading.ts';

export interface StandbysReading {
  replicas: readonly { name: string; usable: boolean; lag_ms: number | null; reads: number }[];
  primary_reads: Readonly<Record<string, number>>;
}

/** Of processes that read from standbys. */
export function registerStandbyMetrics(registry: Registry, read: () => StandbysReading): void {
  const labelNames = ['standby'];
  const ofEach = (value: (standby: StandbysReading['replicas'][number]) => number | null) =>
    read().replicas.flatMap((each): [Labels, number][] => {
      const found = value(each);
      return found === null ? [] : [[{ standby: each.name }, found]];
    });
  readGauge(
    registry,
    { name: 'sluice_standby_usable', help: '1 when reads may go to it, else 0.', labelNames },
    () => ofEach(({ usable }) => Number(usable)),
  );
  readGauge(
    registry,
    { name: 'sluice_standby_lag_seconds', help: 'Behind the primary; absent when unknown.', labelNames },
    () => ofEach(({ lag_ms }) => (lag_ms === null ? null : lag_ms / 1_000)),
  );
  readCounter(
    registry,
    { name: 'sluice_standby_reads_total', help: 'Reads that it has answered.', labelNames },
    () => ofEach(({ reads }) => reads),
  );
  readCounter(
    registry,
    {
      name: 'sluice_primary_reads_total',
      help: 'Reads that went to the primary although there are standbys, by reason.',
      labelNames: ['reason'],
    },
    () => Object.entries(read().primary_reads).map(([reason, count]) => [{ reason }, count]),
  );
}
