import { Worker } from 'node:worker_threads';
import type { Chunk } from '../chunking/chunk.ts';
import { ExtractionError, reviveError } from '../errors.ts';
import type { ExtractionSummary } from '../summary.ts';
import { createDeadline } from './deadline.ts';
import { watchMemory } from './memory.ts';
import { batchWindow, type FromThread, type Task, type ToThread } from './messages.ts';

export interface ThreadLimits {
  memoryMb: number;
  timeoutMs: number;
}

export interface Thread {
  /**
   * Runs one task. Ends the thread if the task overruns a limit, is aborted, or is no longer listened to: parsers cannot be
   * interrupted otherwise.
   */
  run(task: Task, signal?: AbortSignal): AsyncGenerator<Chunk[], ExtractionSummary>;
  /** False once the thread has ended. */
  isAlive(): boolean;
  terminate(): Promise<void>;
}

/** By default V8 may use up to 192 MiB for young objects in each thread, on top of the limit. */
const maxYoungGenerationSizeMb = 16;

/**
 * How far the limit of V8 is above ours. A thread that reaches it does not always end alone: where V8 has work left when the
 * thread is taken down, it aborts the process. So that limit is only for what grows faster than it can be watched.
 */
const heapHeadroomMb = 512;

export function startThread({ memoryMb, timeoutMs }: ThreadLimits): Thread {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'extraction',
    resourceLimits: { maxOldGenerationSizeMb: memoryMb + heapHeadroomMb, maxYoungGenerationSizeMb },
    execArgv: [],
    // A parser has no business with the secrets of the process.
    env: {},
    stdout: true,
    stderr: true,
  });
  // Parsers print warnings about the documents of strangers; nobody is to read those in the log.
  worker.stdout.resume();
  worker.stderr.resume();
  worker.unref();
  let alive = true;
  let ready = false;
  let lastWords: unknown;
  worker.on('error', (error) => {
    alive = false;
    lastWords = error;
  });
  worker.on('exit', () => {
    alive = false;
  });
  worker.on('message', ({ type }: FromThread) => {
    if (type === 'ready') ready = true;
  });
  const post = (message: ToThread) => worker.postMessage(message);

  async function* run(task: Task, signal?: AbortSignal): AsyncGenerator<Chunk[], ExtractionSummary> {
    const inbox: FromThread[] = [];
    let failure: unknown;
    let untaken = 0;
    let wake = () => {};
    const fail = (error: unknown) => {
      failure ??= error;
      alive = false;
      wake();
    };
    // The clock stands still while the thread starts, which is no fault of the document, and while it waits for its consumer.
    const deadline = createDeadline(timeoutMs, () => fail(timedOut(timeoutMs)));
    const memory = watchMemory(worker, memoryMb, {
      collect: () => post({ type: 'collect' }),
      exceeded: () => fail(outOfMemory(memoryMb)),
    });
    const onMessage = (message: FromThread) => {
      if (message.type === 'reserved') return memory.reserved(message.bytes);
      if (message.type === 'collected') return memory.collected(message.bytes);
      if (message.type === 'ready') return deadline.run();
      inbox.push(message);
      if (message.type === 'chunks' && ++untaken >= batchWindow) deadline.pause();
      wake();
    };
    const onExit = () => fail(isOutOfMemory(lastWords) ? outOfMemory(memoryMb) : crashed(lastWords));
    const onAbort = () => fail(signal?.reason);
    worker.on('message', onMessage).on('exit', onExit);
    signal?.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    let finished = false;
    try {
      signal?.throwIfAborted();
      if (!alive) throw crashed(lastWords);
      if (ready) deadline.run();
      post({ type: 'extract', task });
      while (true) {
        while (inbox.length === 0 && failure === undefined)
          await new Promise<void>((resolve) => (wake = resolve));
        if (failure !== undefined) throw failure;
        const message = inbox.shift()!;
        if (message.type === 'chunks') {
          yield message.chunks;
          untaken -= 1;
          deadline.run();
          post({ type: 'taken' });
        } else if (message.type === 'done') {
          finished = true;
          return message.summary;
        } else if (message.type === 'failed') {
          finished = true;
          throw reviveError(message.error);
        }
      }
    } finally {
      deadline.pause();
      memory.stop();
      worker.off('message', onMessage).off('exit', onExit);
      signal?.removeEventListener('abort', onAbort);
      worker.unref();
      if (!finished) await terminate();
    }
  }

  async function terminate(): Promise<void> {
    alive = false;
    await worker.terminate();
  }

  return { run, isAlive: () => alive, terminate };
}

function isOutOfMemory(error: unknown): boolean {
  return (error as { code?: string } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function outOfMemory(memoryMb: number): ExtractionError {
  const message = `Reading the document needs more than ${memoryMb} MiB of memory.`;
  return new ExtractionError('extraction_out_of_memory', message, {
    details: { limit: memoryMb, of: 'MiB' },
  });
}

function timedOut(timeoutMs: number): ExtractionError {
  const message = `Reading the document took longer than ${timeoutMs} ms.`;
  return new ExtractionError('extraction_timeout', message, { details: { limit: timeoutMs, of: 'ms' } });
}

function crashed(cause: unknown): ExtractionError {
  return new ExtractionError('extraction_crashed', 'The extraction thread ended without an answer.', {
    cause,
  });
}
