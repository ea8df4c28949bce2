import { setTimeout as sleep } from 'node:timers/promises';
import { createConsumer, type QueueBackend } from '../../src/index.ts';
import { type TestJob, testJob } from './test-job.ts';

/** What the test tells a worker process, as JSON in its first argument. */
export interface WorkerSettings {
  backend: QueueBackend;
  queue: string;
  concurrency: number;
  maxStalledCount: number;
  /** How long a job takes; -1 for one that never ends. */
  jobMs: number;
}

export interface WorkerMessage {
  started?: string;
  done?: string;
}

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const job: TestJob = testJob({ name: settings.queue });

const consumer = createConsumer(
  settings.backend,
  job,
  async ({ uploadId }) => {
    tell({ started: uploadId });
    if (settings.jobMs < 0) await new Promise(() => undefined);
    await sleep(settings.jobMs);
    tell({ done: uploadId });
  },
  {
    concurrency: settings.concurrency,
    maxStalledCount: settings.maxStalledCount,
    lockDurationMs: 1_000,
    stalledIntervalMs: 300,
    drainTimeoutMs: 2_000,
  },
);
consumer.start();
process.once('disconnect', () => void consumer.drain().then(() => process.exit(0)));

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
