import { ingestUploadJob, type Producer } from '@sluice/queue';

/** Since when jobs wait in the queue. */
export interface WaitingJobs extends Disposable {
  readonly since: Date | null;
}

/** Looks now and then; a queue that does not answer has nothing to say. */
export function watchWaitingJobs(producer: Pick<Producer, 'counts'>, intervalMs: number): WaitingJobs {
  let since: Date | null = null;
  async function look(): Promise<void> {
    try {
      const { waiting } = await producer.counts(ingestUploadJob);
      since = waiting > 0 ? (since ?? new Date()) : null;
    } catch {
      since = null;
    }
  }
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return {
    get since() {
      return since;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
