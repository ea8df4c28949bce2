import type { Worker } from 'node:worker_threads';

const mebibyte = 1024 * 1024;
const intervalMs = 100;
/** Above the limit and this, nothing is asked: buffers can grow by gigabytes while a thread does not listen. */
const graceMb = 48;
/** A thread that is asked to collect listens when its parser next waits for something. */
const patienceMs = 2_000;
const pauseMs = 500;

export interface MemoryWatch {
  /** So many bytes of buffers are allocated but not filled: they do not count. */
  reserved(bytes: number): void;
  /** What was left, in bytes, when the thread had collected its garbage. */
  collected(bytes: number): void;
  stop(): void;
}

export interface MemoryListener {
  /** The thread is to collect its garbage and to tell what is left. */
  collect(): void;
  exceeded(): void;
}

/**
 * Heap and buffers of a thread together. V8 limits the heap only, and PDF streams and archives inflate into buffers. The
 * statistics of a thread can be asked for while it computes, but they count garbage, which V8 leaves lying while there is
 * room. So a thread above the limit is first told to collect, and ended if that does not help or it does not listen.
 */
export function watchMemory(
  worker: Worker,
  limitMb: number,
  { collect, exceeded }: MemoryListener,
): MemoryWatch {
  const limit = limitMb * mebibyte;
  let asking = false;
  let unfilled = 0;
  let askedAt: number | null = null;
  let quietUntil = 0;

  function judge(used: number): void {
    const now = performance.now();
    if (used > limit + graceMb * mebibyte) exceeded();
    else if (used <= limit) askedAt = null;
    else if (askedAt !== null) {
      if (now - askedAt > patienceMs) exceeded();
    } else if (now >= quietUntil) {
      askedAt = now;
      collect();
    }
  }

  const timer = setInterval(async () => {
    if (asking) return;
    asking = true;
    try {
      const { used_heap_size, external_memory } = await worker.getHeapStatistics();
      judge(used_heap_size + external_memory - unfilled);
    } catch {
      // The thread has ended; whoever runs it is told by its exit.
    } finally {
      asking = false;
    }
  }, intervalMs);

  return {
    reserved(bytes) {
      unfilled = bytes;
    },
    collected(bytes) {
      askedAt = null;
      quietUntil = performance.now() + pauseMs;
      if (bytes - unfilled > limit) exceeded();
    },
    stop: () => clearInterval(timer),
  };
}
