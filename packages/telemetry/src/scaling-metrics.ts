import { Gauge, type Registry } from 'prom-client';

/** What is read of the rule for the number of workers. */
export interface ScalingReading {
  queue_depth: number;
  oldest_age_seconds: number;
  workers: number;
  needed_workers: number;
}

const gauges = [
  ['sluice_uploads_waiting', 'Uploads that wait for a worker.', 'queue_depth'],
  ['sluice_uploads_oldest_age_seconds', 'How long the oldest of them has waited.', 'oldest_age_seconds'],
  ['sluice_workers_seen', 'Workers that were seen lately.', 'workers'],
  ['sluice_workers_needed', 'Workers that keep the wait below SCALE_TARGET_AGE_SECONDS.', 'needed_workers'],
] as const satisfies [string, string, keyof ScalingReading][];

/** The same for all gateways: take the maximum, not the sum. Without the database they are absent, not zero. */
export function registerScalingMetrics(registry: Registry, read: () => Promise<ScalingReading>): void {
  for (const [name, help, field] of gauges) {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.reset();
        const reading = await read().catch(() => undefined);
        // An autoscaler that is told of nobody waiting would take all workers away.
        if (reading) this.set(reading[field]);
        else this.remove();
      },
    });
  }
}
