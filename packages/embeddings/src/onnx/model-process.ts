import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EmbeddingError } from '../embedding-error.ts';
import type { FromModelProcess, OnnxTask, ToModelProcess } from './messages.ts';
import type { OnnxModelOptions } from './onnx-model.ts';

/**
 * Runs the models, tokenizers included, in a process of their own. Not on the event loop: the runtime computes on the thread that
 * calls it. Not in a thread: the runtime aborts the whole process when one ends within a run, and a model that takes too much
 * memory would take this process along.
 */
export interface ModelProcess {
  embed(task: OnnxTask, signal: AbortSignal | undefined): Promise<Float32Array[]>;
  /** False once it has ended. */
  isAlive(): boolean;
  /** Fails what is under way with `closed`, and ends the process with all that it has loaded. */
  close(): Promise<void>;
}

interface Answer {
  resolve(vectors: Float32Array[]): void;
  reject(error: unknown): void;
}

export function startModelProcess(options: OnnxModelOptions): ModelProcess {
  const child = startChild(options);
  const answers = new Map<number, Answer>();
  let alive = true;
  let nextId = 0;
  const post = (message: ToModelProcess) =>
    child.send(message, (error) => {
      if (error) answers.get(message.id)?.reject(ended(error.message));
    });
  const failAll = (error: EmbeddingError) => {
    for (const answer of answers.values()) answer.reject(error);
  };
  const end = (reason: string) => {
    alive = false;
    failAll(ended(reason));
  };
  child.on('message', (message: FromModelProcess) => {
    const answer = answers.get(message.id);
    if (message.type === 'vectors') answer?.resolve(message.vectors);
    else answer?.reject(new EmbeddingError(message.code, message.message, { textIndex: message.textIndex }));
  });
  child.on('error', (error) => end(error.message));
  child.on('exit', (status, signal) => end(signal ?? `status ${status}`));

  async function embed(task: OnnxTask, signal: AbortSignal | undefined): Promise<Float32Array[]> {
    const id = nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Float32Array[]>();
    const cancel = () => {
      post({ type: 'cancel', id });
      reject(signal?.reason);
    };
    answers.set(id, { resolve, reject });
    signal?.addEventListener('abort', cancel, { once: true });
    child.channel?.ref();
    post({ type: 'embed', id, task });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', cancel);
      answers.delete(id);
      if (answers.size === 0) child.channel?.unref();
    }
  }

  async function close(): Promise<void> {
    failAll(new EmbeddingError('closed', 'The ONNX models are closed.'));
    if (!alive || child.pid === undefined) return;
    const exit = once(child, 'exit');
    child.ref();
    // Within a run it would hear nothing else, and it has nothing to save.
    child.kill('SIGKILL');
    await exit;
  }

  return { embed, isAlive: () => alive, close };
}

function startChild(options: OnnxModelOptions): ChildProcess {
  const child = fork(
    fileURLToPath(new URL('./model-process-entry.ts', import.meta.url)),
    [JSON.stringify(options)],
    {
      execArgv: [],
      // Models come from strangers: what loads them has no business with the secrets of this process.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    },
  );
  child.unref();
  child.channel?.unref();
  return child;
}

function ended(reason: string): EmbeddingError {
  return new EmbeddingError('provider_unavailable', `the process of the ONNX models has ended: ${reason}`);
}
