import { stat } from 'node:fs/promises';
import type { Chunk } from './chunking/chunk.ts';
import { type ChunkingOptions, defaultChunking, validateChunking } from './chunking/chunking-options.ts';
import { ExtractionError } from './errors.ts';
import type { Format } from './formats.ts';
import type { ExtractionSummary } from './summary.ts';
import type { Task } from './threads/messages.ts';
import { startThread } from './threads/thread.ts';
import { createThreadPool } from './threads/thread-pool.ts';
import { createTurn } from './threads/turn.ts';

export interface ExtractorOptions {
  /** Documents read at the same time, each by a thread of its own. */
  threads: number;
  /**
   * Memory a thread may use, heap and buffers together, in MiB. About 33 of them are its own before it reads anything. The
   * process has more resident than `threads` times this: the nurseries of V8, garbage not yet collected, code.
   */
  memoryMb: number;
  /** Time a document may take, in milliseconds; the time for which the thread waits for its consumer does not count. */
  timeoutMs: number;
  /** Bytes to which the parts of an archive (DOCX, PPTX, XLSX, EPUB) may inflate together. */
  maxExpandedBytes: number;
  /** Pages or slides a document may have; 20 000 by default. */
  maxPages?: number;
}

export interface ExtractionInput {
  path: string;
  /** As found by `detectFormat`; the content has the last word. */
  format: Format;
  fileName?: string | undefined;
  /** As declared; its `charset` is a hint. */
  mediaType?: string | undefined;
  chunking?: ChunkingOptions | undefined;
  /** Aborting ends the thread at once; iteration throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Chunks in batches, in order. Reading starts with the first request and is never more than two batches ahead. Leaving the
 * loop early ends the thread. Iterating throws `ExtractionError`, or the reason of the signal.
 */
export interface Extraction extends AsyncIterable<Chunk[]> {
  /** Settles when iteration ends. */
  summary: Promise<ExtractionSummary>;
}

export interface Extractor extends AsyncDisposable {
  extract(input: ExtractionInput): Extraction;
  /** Ends all threads; documents that are being read fail with `extractor_closed`. */
  close(): Promise<void>;
}

/** Files above this size are read one at a time, so that the other threads stay free for small ones. */
const largeFile = 16 * 1024 * 1024;

/** @throws {ExtractionError} `invalid_options`. */
export function createExtractor(options: ExtractorOptions): Extractor {
  const { threads, memoryMb, timeoutMs, maxExpandedBytes, maxPages } = validate(options);
  const pool = createThreadPool(threads, () => startThread({ memoryMb, timeoutMs }));
  const closing = new AbortController();
  const takeLargeTurn = createTurn();

  async function admit(path: string, signal: AbortSignal): Promise<() => void> {
    // What cannot be read is told by the thread.
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    return size > largeFile ? takeLargeTurn(signal) : () => {};
  }

  async function* run(input: ExtractionInput): AsyncGenerator<Chunk[], ExtractionSummary> {
    const task: Task = {
      source: { path: input.path, fileName: input.fileName ?? null, charset: charsetOf(input.mediaType) },
      format: input.format,
      chunking: validateChunking(input.chunking ?? defaultChunking),
      limits: { maxExpandedBytes, maxPages },
    };
    const signal =
      input.signal === undefined ? closing.signal : AbortSignal.any([input.signal, closing.signal]);
    const endTurn = await admit(input.path, signal);
    try {
      return yield* runOnThread(task, signal);
    } finally {
      endTurn();
    }
  }

  async function* runOnThread(task: Task, signal: AbortSignal): AsyncGenerator<Chunk[], ExtractionSummary> {
    const thread = await pool.acquire(signal);
    try {
      return yield* thread.run(task, signal);
    } finally {
      pool.release(thread);
    }
  }

  async function close(): Promise<void> {
    closing.abort(new ExtractionError('extractor_closed', 'The extractor is closed.'));
    await pool.close();
  }

  return { extract: (input) => toExtraction(run(input)), close, [Symbol.asyncDispose]: close };
}

function toExtraction(run: AsyncGenerator<Chunk[], ExtractionSummary>): Extraction {
  const { promise, resolve, reject } = Promise.withResolvers<ExtractionSummary>();
  // Whoever only iterates gets the error there.
  promise.catch(() => {});
  async function* batches() {
    let finished = false;
    try {
      resolve(yield* run);
      finished = true;
    } catch (error) {
      finished = true;
      reject(error);
      throw error;
    } finally {
      if (!finished) reject(new ExtractionError('extractor_closed', 'Reading was given up before the end.'));
    }
  }
  return Object.assign(batches(), { summary: promise });
}

function validate(options: ExtractorOptions): Required<ExtractorOptions> {
  const resolved = { ...options, maxPages: options.maxPages ?? 20_000 };
  for (const [option, value] of Object.entries(resolved)) {
    const least = option === 'memoryMb' ? 64 : 1;
    if (Number.isInteger(value) && value >= least) continue;
    const message = `Option ${option} is ${value}; expected a whole number of at least ${least}.`;
    throw new ExtractionError('invalid_options', message, {
      details: { option, value, expected: `at least ${least}` },
    });
  }
  return resolved;
}

function charsetOf(mediaType: string | undefined): string | null {
  return /charset\s*=\s*"?([\w.:-]+)/i.exec(mediaType ?? '')?.[1] ?? null;
}
