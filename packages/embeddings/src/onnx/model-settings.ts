import { z } from 'zod';
import { EmbeddingError } from '../embedding-error.ts';
import type { EmbeddingPurpose } from '../embedding-provider.ts';
import { readModelFile } from './model-file.ts';
import { type Pooling, readPooling } from './pooling.ts';

export interface ModelSettings {
  readonly pooling: Pooling;
  readonly normalize: boolean;
  /** Put before each text. */
  readonly prefixes: Readonly<Record<EmbeddingPurpose, string>>;
  /** Tokens of a text, special ones included. undefined: what the tokenizer says. */
  readonly maxTokens: number | undefined;
  /** Element type that the model asks for. */
  readonly dtype: string | undefined;
  /** Steps after the transformer that are not known here: fine only where the ONNX file does them. */
  readonly otherModules: readonly string[];
}

const configSchema = z.looseObject({
  model_type: z.string().optional(),
  max_position_embeddings: z.int().positive().optional(),
  pad_token_id: z.int().nullish(),
  'transformers.js_config': z.looseObject({ dtype: z.string().optional() }).optional(),
});
// A name of a folder: the list came with the model and must not lead out of it.
const moduleSchema = z.looseObject({
  type: z.string(),
  path: z.string().regex(/^(?!\.\.?$)[\w.-]*$/),
});
const lengthSchema = z.looseObject({ max_seq_length: z.int().positive().nullish() });
const promptsSchema = z.looseObject({
  prompts: z.record(z.string(), z.string()).default({}),
  default_prompt_name: z.string().nullish(),
});

/**
 * Reads what transformers and sentence-transformers store beside a model. Without the files of the latter: the mean of all
 * tokens, normalised, no prefixes.
 *
 * @throws EmbeddingError `model_unavailable`
 */
export async function readModelSettings(folder: string): Promise<ModelSettings> {
  const config = await readModelFile(folder, 'config.json', configSchema);
  if (!config) throw new EmbeddingError('model_unavailable', `${folder} has no config.json`);
  const length = await readModelFile(folder, 'sentence_bert_config.json', lengthSchema);
  const prompts = await readModelFile(folder, 'config_sentence_transformers.json', promptsSchema);
  return {
    ...(await readModules(folder)),
    prefixes: choosePrefixes(prompts),
    maxTokens: length?.max_seq_length ?? positionsOf(config),
    dtype: config['transformers.js_config']?.dtype,
  };
}

async function readModules(
  folder: string,
): Promise<Pick<ModelSettings, 'pooling' | 'normalize' | 'otherModules'>> {
  const modules = await readModelFile(folder, 'modules.json', z.array(moduleSchema));
  if (!modules) return { pooling: 'mean', normalize: true, otherModules: [] };
  const named = modules.map(({ type, path }) => ({ kind: type.split('.').at(-1) ?? type, path }));
  const pooling = named.find(({ kind }) => kind === 'Pooling');
  return {
    pooling: pooling ? await readPooling(folder, pooling.path) : 'mean',
    normalize: named.some(({ kind }) => kind === 'Normalize'),
    otherModules: named
      .map(({ kind }) => kind)
      .filter((kind) => !['Transformer', 'Pooling', 'Normalize'].includes(kind)),
  };
}

/** By the names that sentence-transformers' `encode_query` and `encode_document` look for. */
function choosePrefixes(settings: z.output<typeof promptsSchema> | undefined): ModelSettings['prefixes'] {
  const { prompts = {}, default_prompt_name } = settings ?? {};
  const fallback = prompts[default_prompt_name ?? ''] ?? '';
  return {
    query: prompts.query ?? fallback,
    document: prompts.document ?? prompts.passage ?? prompts.corpus ?? fallback,
  };
}

/** Models of RoBERTa's kin count positions from behind their padding token. */
function positionsOf(config: z.output<typeof configSchema>): number | undefined {
  const { model_type = '', max_position_embeddings: positions, pad_token_id } = config;
  if (positions === undefined) return undefined;
  const offset = ['roberta', 'xlm-roberta', 'camembert', 'mpnet'].includes(model_type)
    ? (pad_token_id ?? 1) + 1
    : 0;
  return positions > offset ? positions - offset : positions;
}
