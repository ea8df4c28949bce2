import type { Worker } from 'node:worker_threads';

const interval = 200;

/**
 * V8 limits the heap of a thread, but not its buffers, into which PDF streams and archives inflate. The statistics of a
 * thread can be asked for while it computes.
 */
export function watchMemory(worker: Worker, limitMb: number, exceeded: () => void): { stop(): void } {
  let asking = false;
  const timer = setInterval(async () => {
    if (asking) return;
    asking = true;
    try {
      const { used_heap_size, external_memory } = await worker.getHeapStatistics();
      if (used_heap_size + external_memory > limitMb * 1024 * 1024) exceeded();
    } catch {
      // The thread has ended; whoever runs it is told by its exit.
    } finally {
      asking = false;
    }
  }, interval);
  return { stop: () => clearInterval(timer) };
}
