import type { Worker } from 'node:worker_threads';

const interval = 200;

export interface MemoryWatch {
  /** So many bytes of buffers are allocated but not filled: they do not count. */
  reserved(bytes: number): void;
  stop(): void;
}

/**
 * V8 limits the heap of a thread, but not its buffers, into which PDF streams and archives inflate. The statistics of a
 * thread can be asked for while it computes.
 */
export function watchMemory(worker: Worker, limitMb: number, exceeded: () => void): MemoryWatch {
  let asking = false;
  let unfilled = 0;
  const timer = setInterval(async () => {
    if (asking) return;
    asking = true;
    try {
      const { used_heap_size, external_memory } = await worker.getHeapStatistics();
      if (used_heap_size + external_memory - unfilled > limitMb * 1024 * 1024) exceeded();
    } catch {
      // The thread has ended; whoever runs it is told by its exit.
    } finally {
      asking = false;
    }
  }, interval);
  return {
    reserved(bytes) {
      unfilled = bytes;
    },
    stop: () => clearInterval(timer),
  };
}
