import { ExtractionError } from '../errors.ts';
import type { Thread } from './thread.ts';

export interface ThreadPool {
  /** Waits for a free thread, first come, first served. */
  acquire(signal?: AbortSignal): Promise<Thread>;
  /** Gives a thread back, dead or alive; a dead one is replaced when it is next needed. */
  release(thread: Thread): void;
  /** Ends all threads; those who wait get `extractor_closed`. */
  close(): Promise<void>;
}

interface Waiter {
  resolve(thread: Thread): void;
  reject(error: unknown): void;
}

export function createThreadPool(size: number, start: () => Thread): ThreadPool {
  const idle: Thread[] = [];
  const busy = new Set<Thread>();
  const waiters = new Set<Waiter>();
  let closed = false;

  function lend(): Thread {
    let thread = idle.pop();
    while (thread !== undefined && !thread.isAlive()) thread = idle.pop();
    thread ??= start();
    busy.add(thread);
    return thread;
  }

  return {
    async acquire(signal) {
      if (closed) throw closedError();
      signal?.throwIfAborted();
      if (busy.size < size) return lend();
      const { promise, resolve, reject } = Promise.withResolvers<Thread>();
      const waiter = { resolve, reject };
      const onAbort = () => reject(signal?.reason);
      waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        return await promise;
      } finally {
        waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      }
    },

    release(thread) {
      if (!busy.delete(thread)) return;
      if (thread.isAlive()) idle.push(thread);
      const [next] = waiters;
      if (closed || next === undefined) return;
      waiters.delete(next);
      next.resolve(lend());
    },

    async close() {
      closed = true;
      for (const waiter of waiters) waiter.reject(closedError());
      await Promise.all([...idle, ...busy].map((thread) => thread.terminate()));
      idle.length = 0;
    },
  };
}

function closedError(): ExtractionError {
  return new ExtractionError('extractor_closed', 'The extractor is closed.');
}
