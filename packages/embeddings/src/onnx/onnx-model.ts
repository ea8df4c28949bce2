import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { PretrainedModel, Tensor, Transformers } from '../../onnx-runtime/transformers.ts';
import { EmbeddingError } from '../embedding-error.ts';
import type { EmbeddingPurpose } from '../embedding-provider.ts';
import { requireModelFiles } from './model-file.ts';
import { vectorsOf } from './model-output.ts';
import { type ModelSettings, readModelSettings } from './model-settings.ts';
import { planPasses } from './passes.ts';
import { normalize } from './pooling.ts';
import { createTokenizer, type Tokenizer } from './tokenizer.ts';
import { findWeights } from './weights.ts';

export interface OnnxModel {
  /**
   * Computes on the calling thread, with turns of the event loop between its parts.
   *
   * @param isCancelled asked before each part
   * @returns one vector a text, in their order; undefined when cancelled
   * @throws EmbeddingError
   */
  embed(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    isCancelled: () => boolean,
  ): Promise<Float32Array[] | undefined>;
}

export interface OnnxModelOptions {
  /** One sub-folder a model. */
  directory: string;
  /** Threads of one run. Default: one a core. */
  threads?: number | undefined;
}

/** @throws EmbeddingError `model_unavailable` */
export async function loadOnnxModel(
  transformers: Transformers,
  name: string,
  options: OnnxModelOptions,
): Promise<OnnxModel> {
  const folder = join(options.directory, name);
  const settings = await readModelSettings(folder);
  const { tokenizer, model } = await load(transformers, name, folder, settings, options);

  return {
    async embed(texts, purpose, isCancelled) {
      const vectors = new Array<Float32Array>(texts.length);
      const encoded: number[][] = [];
      for (const text of texts) {
        if (encoded.length % 16 === 0) await setImmediate();
        if (isCancelled()) return undefined;
        encoded.push(tokenizer.encode((settings.prefixes[purpose] + text).toWellFormed()));
      }
      for (const pass of planPasses(encoded.map((ids) => ids.length))) {
        await setImmediate();
        if (isCancelled()) return undefined;
        const ids = pass.map((index) => encoded[index]!);
        const outputs = await run(transformers, model, ids, tokenizer.padId);
        for (const [row, vector] of vectorsOf(outputs, ids, settings, folder).entries()) {
          vectors[pass[row]!] = settings.normalize ? normalize(vector) : vector;
        }
      }
      return vectors;
    },
  };
}

async function load(
  { AutoModel, AutoTokenizer }: Transformers,
  name: string,
  folder: string,
  settings: ModelSettings,
  { threads }: OnnxModelOptions,
): Promise<{ tokenizer: Tokenizer; model: PretrainedModel }> {
  await requireModelFiles(folder, ['tokenizer.json', 'tokenizer_config.json']);
  const weights = await findWeights(folder, settings.dtype);
  try {
    const local = { local_files_only: true } as const;
    const pretrained = await AutoTokenizer.from_pretrained(name, local);
    const model = await AutoModel.from_pretrained(name, {
      ...local,
      ...weights,
      device: 'cpu',
      session_options: threads === undefined ? {} : { intraOpNumThreads: threads },
    });
    return { tokenizer: createTokenizer(pretrained, settings.maxTokens), model };
  } catch (error) {
    const message = `the model in ${folder} cannot be loaded: ${(error as Error).message}`;
    throw new EmbeddingError('model_unavailable', message, { cause: error });
  }
}

async function run(
  { Tensor }: Transformers,
  model: PretrainedModel,
  ids: readonly number[][],
  padId: number,
): Promise<Record<string, Tensor | undefined>> {
  // The longest is first.
  const width = ids[0]!.length;
  const inputIds = new BigInt64Array(ids.length * width).fill(BigInt(padId));
  const attentionMask = new BigInt64Array(ids.length * width);
  for (const [row, each] of ids.entries()) {
    inputIds.set(each.map(BigInt), row * width);
    attentionMask.fill(1n, row * width, row * width + each.length);
  }
  const dims = [ids.length, width];
  try {
    return await model({
      input_ids: new Tensor('int64', inputIds, dims),
      attention_mask: new Tensor('int64', attentionMask, dims),
    });
  } catch (error) {
    throw new EmbeddingError('provider_rejected', `the model cannot be run: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
