import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ingestUploadJob, type JobDefinition } from '../../src/index.ts';

export type TestJob = JobDefinition<{ uploadId: string }>;

/** A job like the real one in a queue of its own, with waits that a test can afford. */
export function testJob(overrides: Partial<TestJob> = {}): TestJob {
  return {
    ...ingestUploadJob,
    name: `test-${randomUUID()}`,
    retry: { attempts: 3, backoffMs: 100, jitter: 0, putOffForMs: 60_000 },
    ...overrides,
  };
}

export function uploadIds(count: number): string[] {
  return Array.from({ length: count }, () => randomUUID());
}

/** Asks until the answer is yes; throws with `what` after `timeoutMs`. */
export async function until(
  what: string,
  ask: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}
