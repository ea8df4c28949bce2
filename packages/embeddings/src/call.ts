import type { EmbeddingPurpose } from './embedding-provider.ts';

/** One call of `embed`, of which any number of texts may be waiting, under way or done. */
export interface Call {
  readonly purpose: EmbeddingPurpose;
  /** Done, failed or cancelled. */
  readonly settled: boolean;
  resolveText(index: number, vector: Float32Array): void;
  reject(error: unknown): void;
}

/**
 * @param onSettled called once; `complete` when every text has its vector
 * @returns the call, and the promise that its caller waits for
 */
export function createCall(
  count: number,
  purpose: EmbeddingPurpose,
  signal: AbortSignal | undefined,
  onSettled: (call: Call, complete: boolean) => void,
): { call: Call; vectors: Promise<Float32Array[]> } {
  const { promise, resolve, reject } = Promise.withResolvers<Float32Array[]>();
  const vectors = new Array<Float32Array>(count);
  let missing = count;
  let settled = false;

  const settle = (complete: boolean) => {
    settled = true;
    signal?.removeEventListener('abort', cancel);
    onSettled(call, complete);
  };
  const call: Call = {
    purpose,
    get settled() {
      return settled;
    },
    resolveText(index, vector) {
      if (settled) return;
      vectors[index] = vector;
      missing -= 1;
      if (missing > 0) return;
      settle(true);
      resolve(vectors);
    },
    reject(error) {
      if (settled) return;
      settle(false);
      reject(error);
    },
  };
  const cancel = () => call.reject(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  return { call, vectors: promise };
}
