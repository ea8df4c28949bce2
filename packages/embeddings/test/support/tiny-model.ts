import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnnxGraph, onnxFile, type TensorInfo } from './onnx-file.ts';

/** The state of each token: the model looks it up and does nothing else, so that vectors can be worked out by hand. */
export const tokenStates: Readonly<Record<string, readonly [number, number, number]>> = {
  // Far from all others: padding that is not left out would show.
  '[PAD]': [90, -90, 90],
  '[UNK]': [0, 0, 1],
  '[CLS]': [3, 0, 0],
  '[SEP]': [0, 3, 0],
  red: [0, 0, 3],
  green: [3, 3, 0],
  blue: [-6, -6, -6],
  ask: [12, 0, 0],
  tell: [0, 12, 0],
  zero: [-3, -3, 0],
};

const vocabulary = Object.keys(tokenStates);

export interface TinyModelOptions {
  /** Files to write beside the usual ones, or in place of them; null: leave it out. */
  files?: Readonly<Record<string, object | Buffer | null>>;
  /** Where the ONNX file goes. Default `onnx/model.onnx`. */
  onnxPath?: string;
  graph?: OnnxGraph;
}

/** A folder with what a BERT has, in the least possible size. */
export async function writeTinyModel(folder: string, options: TinyModelOptions = {}): Promise<void> {
  const { files = {}, onnxPath = 'onnx/model.onnx', graph = lookupGraph() } = options;
  const all: Record<string, object | Buffer | null> = {
    'config.json': { model_type: 'bert', max_position_embeddings: 512 },
    'tokenizer_config.json': { tokenizer_class: 'BertTokenizer', model_max_length: 512, ...specialTokens },
    'tokenizer.json': tokenizer,
    [onnxPath]: onnxFile(graph),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    if (content === null) continue;
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, Buffer.isBuffer(content) ? content : JSON.stringify(content));
  }
}

const specialTokens = { unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]', pad_token: '[PAD]' };

const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
const idOf = (token: string) => ({ id: token, ids: [vocabulary.indexOf(token)], tokens: [token] });

const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  decoder: null,
  added_tokens: Object.values(specialTokens).map((content) => ({
    id: vocabulary.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]'), sequence('A'), special('[SEP]')],
    pair: [special('[CLS]'), sequence('A'), special('[SEP]'), sequence('B'), special('[SEP]')],
    special_tokens: { '[CLS]': idOf('[CLS]'), '[SEP]': idOf('[SEP]') },
  },
  model: {
    type: 'WordLevel',
    unk_token: '[UNK]',
    vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
  },
};

const inputs: TensorInfo[] = [
  { name: 'input_ids', type: 'int64', dims: ['batch', 'sequence'] },
  { name: 'attention_mask', type: 'int64', dims: ['batch', 'sequence'] },
  { name: 'token_type_ids', type: 'int64', dims: ['batch', 'sequence'] },
];

export function lookupGraph(output = 'last_hidden_state'): OnnxGraph {
  return {
    nodes: [{ op: 'Gather', inputs: ['states', 'input_ids'], outputs: [output] }],
    weights: [{ name: 'states', dims: [vocabulary.length, 3], values: Object.values(tokenStates).flat() }],
    inputs,
    outputs: [{ name: output, type: 'float', dims: ['batch', 'sequence', 3] }],
  };
}

/** Pools by itself: the largest of each component. */
export function pooledGraph(): OnnxGraph {
  const { nodes, weights, inputs } = lookupGraph('token_embeddings');
  const largest = { op: 'ReduceMax', inputs: ['token_embeddings'], outputs: ['sentence_embedding'] };
  return {
    nodes: [...nodes, { ...largest, attributes: { axes: [1], keepdims: 0 } }],
    weights,
    inputs,
    outputs: [{ name: 'sentence_embedding', type: 'float', dims: ['batch', 3] }],
  };
}

/** Vectors of 256 dimensions, after so many multiplications with a matrix that changes nothing. */
export function slowGraph(multiplications: number): OnnxGraph {
  const width = 256;
  const table = vocabulary.flatMap((_, id) =>
    Array.from({ length: width }, (_, at) => (at === id ? 1 : 0.01)),
  );
  const identity = Array.from({ length: width * width }, (_, at) => (at % (width + 1) === 0 ? 1 : 0));
  const steps = Array.from({ length: multiplications }, (_, step) => ({
    op: 'MatMul',
    inputs: [`step${step}`, 'identity'],
    outputs: [step === multiplications - 1 ? 'last_hidden_state' : `step${step + 1}`],
  }));
  return {
    nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['step0'] }, ...steps],
    weights: [
      { name: 'table', dims: [vocabulary.length, width], values: table },
      { name: 'identity', dims: [width, width], values: identity },
    ],
    inputs,
    outputs: [{ name: 'last_hidden_state', type: 'float', dims: ['batch', 'sequence', width] }],
  };
}
