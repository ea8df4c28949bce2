import type { EmbeddingErrorCode } from '../embedding-error.ts';
import type { EmbeddingPurpose } from '../embedding-provider.ts';

export interface OnnxTask {
  readonly model: string;
  readonly dimensions: number;
  readonly texts: readonly string[];
  readonly purpose: EmbeddingPurpose;
}

export type ToModelProcess = { type: 'embed'; id: number; task: OnnxTask } | { type: 'cancel'; id: number };

export type FromModelProcess =
  | { type: 'vectors'; id: number; vectors: Float32Array[] }
  | {
      type: 'failed';
      id: number;
      code: EmbeddingErrorCode;
      message: string;
      textIndex: number | undefined;
    };
