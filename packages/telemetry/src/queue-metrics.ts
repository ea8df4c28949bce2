import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { readGauge } from './reading.ts';

export type JobCountsReading = Readonly<Record<'waiting' | 'active' | 'delayed' | 'failed', number>>;

// Whoever scrapes gives up after a few seconds, and then learns nothing.
const deadlineMs = 3_000;

const states = ['waiting', 'active', 'delayed', 'failed'] as const;

/** Jobs by queue and state. Every process reads the same queue: take the maximum, not the sum. No sample while it does not answer. */
export function registerQueueMetrics(
  registry: Registry,
  read: () => Promise<Readonly<Record<string, JobCountsReading>>>,
): void {
  readGauge(
    registry,
    {
      name: 'sluice_queue_jobs',
      help: 'Jobs by state; failed ones lie there until they are redriven or forgotten.',
      labelNames: ['queue', 'state'],
    },
    async () => {
      const late = sleep(deadlineMs, {}, { ref: false });
      const queues = await Promise.race([read().catch(() => ({})), late]);
      return Object.entries(queues).flatMap(([queue, counts]) =>
        states.map((state) => [{ queue, state }, (counts as JobCountsReading)[state]] as const),
      );
    },
  );
}
