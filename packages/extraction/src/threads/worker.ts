import { getHeapStatistics } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import type { Chunk } from '../chunking/chunk.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { serializeError, toExtractionError } from '../errors.ts';
import { extractDocument } from '../extract-document.ts';
import { batchWindow, type FromThread, type Task, type ToThread } from './messages.ts';

/** The entry of an extraction thread: one document at a time, never more than `batchWindow` batches ahead. */
const port = parentPort!;
const send = (message: FromThread) => port.postMessage(message);

let ahead = 0;
let resume: (() => void) | null = null;

port.on('message', (message: ToThread) => {
  if (message.type === 'extract') void run(message.task);
  else if (message.type === 'collect') collect();
  else {
    ahead -= 1;
    resume?.();
    resume = null;
  }
});

// Parsers leave promises behind that nobody waits for; what matters of their failure arrives by the main path.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', (error) => {
  send({ type: 'failed', error: serializeError(toExtractionError(error)) });
  // What the parser does next cannot be known: this thread is not used again.
  process.exit(1);
});

async function run(task: Task): Promise<void> {
  ahead = 0;
  try {
    send({ type: 'done', summary: await extractDocument(task, deliver, reserve) });
  } catch (error) {
    send({ type: 'failed', error: serializeError(toExtractionError(error)) });
  }
}

async function deliver(chunks: Chunk[]): Promise<void> {
  send({ type: 'chunks', chunks });
  ahead += 1;
  while (ahead >= batchWindow) await new Promise<void>((resolve) => (resume = resolve));
}

function collect(): void {
  collectGarbage();
  const { used_heap_size, external_memory } = getHeapStatistics();
  send({ type: 'collected', bytes: used_heap_size + external_memory });
}

let told = 0;

/** Tells of what changes by more than a MiB. */
function reserve(bytes: number): void {
  if (bytes > 0 && Math.abs(bytes - told) < 1_048_576) return;
  told = bytes;
  send({ type: 'reserved', bytes });
}

send({ type: 'ready' });
