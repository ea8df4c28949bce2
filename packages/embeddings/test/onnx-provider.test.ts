import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { createEmbedder, createOnnxModels, EmbeddingError, type EmbeddingPurpose } from '../src/index.ts';
import { describeWithOnnx } from './support/describe-with-onnx.ts';
import {
  lookupGraph,
  pooledGraph,
  slowGraph,
  type TinyModelOptions,
  writeTinyModel,
} from './support/tiny-model.ts';

const document = { purpose: 'document' } as const;
const third = 1 / Math.sqrt(3);
const half = 1 / Math.sqrt(2);

const directory = await mkdtempDisposable(join(tmpdir(), 'sluice-onnx-'));
const models = createOnnxModels({ directory: directory.path, threads: 1 });
afterAll(async () => {
  await models.close();
  await directory.remove();
});
let opened = 0;

/** A model of its own, all of them in one process. */
async function open(options: TinyModelOptions = {}, dimensions = 3) {
  opened += 1;
  const model = `tiny-${opened}`;
  const folder = join(directory.path, model);
  await writeTinyModel(folder, options);
  return { model, folder, provider: models.provider({ model, dimensions }) };
}

/** Vectors of one request, of a model with these files. */
async function vectorsOf(
  texts: readonly string[],
  options?: TinyModelOptions,
  purpose: EmbeddingPurpose = 'document',
): Promise<number[][]> {
  const { provider } = await open(options);
  return (await provider.embed(texts, { purpose })).map((vector) => [...vector]);
}

async function durationOf(promise: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await promise;
  return performance.now() - startedAt;
}

async function failure(promise: Promise<unknown>): Promise<EmbeddingError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EmbeddingError);
  return error as EmbeddingError;
}

function near(expected: readonly (readonly number[])[]): unknown[] {
  return expected.map((vector) => vector.map((value) => expect.closeTo(value, 6)));
}

const modules = (...kinds: string[]) =>
  kinds.map((kind, idx) => ({ idx, path: `${idx}_${kind}`, type: `sentence_transformers.models.${kind}` }));

const pooling = (mode: string) => ({
  'modules.json': modules('Transformer', 'Pooling'),
  '1_Pooling/config.json': { word_embedding_dimension: 3, [`pooling_mode_${mode}`]: true },
});

describeWithOnnx('ONNX models', () => {
  test('without further files, a vector is the normalised mean of the states of all tokens', async () => {
    // [CLS] red [SEP], and so on: the sums are (3, 3, 3), (6, 6, 0) and (3, 3, 1).
    const expected = [
      [third, third, third],
      [half, half, 0],
      [3 / Math.sqrt(19), 3 / Math.sqrt(19), 1 / Math.sqrt(19)],
    ];
    expect(await vectorsOf(['red', 'GREEN', 'unheard'])).toEqual(near(expected));
  });

  test('texts of other lengths in the same request change nothing, and order is kept', async () => {
    const { provider } = await open();
    const texts = [
      'red',
      'red '.repeat(300),
      '',
      'green red',
      'blue',
      ...Array<string>(40).fill('red green'),
    ];
    const together = await provider.embed(texts, document);
    for (const [index, text] of texts.slice(0, 6).entries()) {
      const [alone] = await provider.embed([text], document);
      expect(together[index]).toEqual(alone);
    }
    expect(together).toHaveLength(texts.length);
  });

  test.each([
    ['mean_tokens', [1.5, 1.5, 0.75]],
    ['cls_token', [3, 0, 0]],
    ['max_tokens', [3, 3, 3]],
    ['lasttoken', [0, 3, 0]],
  ])(
    'pools as the model says: %s, and does not normalise where that is no module',
    async (mode, expected) => {
      expect(await vectorsOf(['red green', 'red red red red'], { files: pooling(mode) })).toMatchObject([
        expected,
        {},
      ]);
    },
  );

  test('normalises where the model says so', async () => {
    const files = { ...pooling('cls_token'), 'modules.json': modules('Transformer', 'Pooling', 'Normalize') };
    expect(await vectorsOf(['red'], { files })).toEqual([[1, 0, 0]]);
  });

  test('takes the vector that the model has pooled itself, which may then have steps of its own', async () => {
    const files = { ...pooling('cls_token'), 'modules.json': modules('Transformer', 'Pooling', 'Dense') };
    expect(await vectorsOf(['red', 'blue'], { files, graph: pooledGraph() })).toEqual([
      [3, 3, 3],
      [3, 3, 0],
    ]);
    const { provider } = await open({ files });
    const error = await failure(provider.embed(['red'], document));
    expect(error).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('needs Dense'),
    });
  });

  test('puts the prompts of the model before queries and documents', async () => {
    const files = {
      ...pooling('mean_tokens'),
      'config_sentence_transformers.json': { prompts: { query: 'ask ', passage: 'tell ' } },
    };
    // [CLS] ask red [SEP] and [CLS] tell red [SEP]
    expect(await vectorsOf(['red'], { files }, 'query')).toEqual([[3.75, 0.75, 0.75]]);
    expect(await vectorsOf(['red'], { files }, 'document')).toEqual([[0.75, 3.75, 0.75]]);
  });

  test.each([
    ['sentence_bert_config.json', { max_seq_length: 4 }],
    ['config.json', { model_type: 'bert', max_position_embeddings: 4 }],
    ['config.json', { model_type: 'roberta', max_position_embeddings: 6, pad_token_id: 1 }],
    ['tokenizer_config.json', { tokenizer_class: 'BertTokenizer', model_max_length: 4 }],
  ])('cuts a text at the length that %s says, and keeps its last special token', async (file, content) => {
    const files = { ...pooling('mean_tokens'), [file]: content };
    // [CLS] red red [SEP]
    const expected = [0.75, 0.75, 1.5];
    expect(await vectorsOf(['red red', 'red red green blue'], { files })).toEqual([expected, expected]);
  });

  test.each(['model.onnx', 'onnx/model_quantized.onnx', 'model_fp16.onnx'])(
    'finds its weights in %s',
    async (onnxPath) => {
      expect(await vectorsOf(['green'], { onnxPath })).toEqual(near([[half, half, 0]]));
    },
  );

  test('prefers the weights that config.json names', async () => {
    const { folder, provider } = await open({ graph: pooledGraph() });
    const config = { model_type: 'bert', 'transformers.js_config': { dtype: 'q8' } };
    await writeTinyModel(folder, {
      onnxPath: 'onnx/model_quantized.onnx',
      graph: lookupGraph(),
      files: { ...pooling('cls_token'), 'config.json': config },
    });
    expect((await provider.embed(['red'], document)).map((vector) => [...vector])).toEqual([[3, 0, 0]]);
  });

  test.each([
    [{ files: { 'config.json': null } }, 'no config.json'],
    [{ files: { 'config.json': Buffer.from('{') } }, 'config.json is not JSON'],
    [{ files: { 'config.json': { max_position_embeddings: 'many' } } }, '/max_position_embeddings'],
    [{ files: { 'onnx/model.onnx': null } }, 'no ONNX file: expected model.onnx'],
    [{ files: { 'onnx/model.onnx': Buffer.from('not a model') } }, 'cannot be loaded'],
    [{ files: { 'tokenizer.json': null } }, 'tokenizer.json'],
    [{ files: { 'tokenizer_config.json': null } }, 'tokenizer_config.json'],
    [{ files: { 'modules.json': modules('Transformer', 'Pooling') } }, 'no 1_Pooling/config.json'],
    [{ files: { 'modules.json': [{ type: 'Pooling', path: '..' }] } }, 'modules.json is not understood'],
    [{ files: pooling('weightedmean_tokens') }, 'weightedmean_tokens'],
    [{ graph: lookupGraph('logits') }, 'answers logits [1,3,3]: expected last_hidden_state'],
  ] satisfies [TinyModelOptions, string][])(
    'a folder that is not complete is told: %#',
    async (options, said) => {
      const { folder, provider } = await open(options);
      const error = await failure(provider.embed(['red'], document));
      expect(error).toMatchObject({ code: 'model_unavailable', retryable: false });
      expect(error.message).toContain(said);
      expect(error.message).toContain(folder);
    },
  );

  test('a model that was missing is found once it is there', async () => {
    const late = models.provider({ model: 'late', dimensions: 3 });
    expect((await failure(late.embed(['red'], document))).code).toBe('model_unavailable');
    await writeTinyModel(join(directory.path, 'late'));
    expect(await late.embed(['red'], document)).toHaveLength(1);
  });

  test('vectors of another length than the collection has, and of length zero, are refused', async () => {
    const { model, provider } = await open();
    const other = models.provider({ model, dimensions: 4 });
    expect(await failure(other.embed(['red'], document))).toMatchObject({ code: 'wrong_dimensions' });
    expect(await failure(provider.embed(['red', 'zero'], document))).toMatchObject({
      code: 'invalid_vector',
      textIndex: 1,
    });
  });

  test('an abort rejects at once, with the reason, and most of the work is not done', async () => {
    const { provider } = await open({ graph: slowGraph(30) }, 256);
    const texts = Array<string>(64).fill('red '.repeat(400));
    await provider.embed(['red'], document);
    const whole = await durationOf(provider.embed(texts, document));
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const embedding = provider.embed(texts, { ...document, signal: controller.signal });
    setTimeout(() => controller.abort(reason), whole / 4);
    const abortedAfter = await durationOf(expect(embedding).rejects.toBe(reason));
    expect(abortedAfter).toBeLessThan(whole / 2);
    expect(await durationOf(provider.embed(['red'], document))).toBeLessThan(whole / 2);
  });

  test.runIf(process.platform === 'linux')(
    'a process that dies fails what it was doing, and is replaced',
    async () => {
      const { provider } = await open({ graph: slowGraph(30) }, 256);
      await provider.embed(['red'], document);
      const embedding = failure(provider.embed(Array<string>(64).fill('red '.repeat(400)), document));
      const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
      for (const pid of children.trim().split(' ')) process.kill(Number(pid), 'SIGKILL');
      expect(await embedding).toMatchObject({
        code: 'provider_unavailable',
        retryable: true,
        message: expect.stringContaining('SIGKILL'),
      });
      expect(await provider.embed(['red'], document)).toHaveLength(1);
    },
  );

  test('closing fails what is under way, ends the process, and nothing is embedded after it', async () => {
    const { model } = await open({ graph: slowGraph(50) });
    const others = createOnnxModels({ directory: directory.path, threads: 1 });
    const slow = others.provider({ model, dimensions: 256 });
    const embedding = failure(slow.embed(Array<string>(64).fill('red '.repeat(500)), document));
    await others.close();
    expect((await embedding).code).toBe('closed');
    expect((await failure(slow.embed(['red'], document))).code).toBe('closed');
  });

  test('two documents at once get their vectors while the event loop goes on', async () => {
    const { provider } = await open({ graph: slowGraph(40) }, 256);
    const embedder = createEmbedder(provider, { maxWaitMs: 5, concurrency: 4, retries: 0 });
    onTestFinished(() => embedder.close());
    await embedder.embed(['red'], document);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const startedAt = performance.now();
    const [red, green] = await Promise.all(
      ['red ', 'green '].map((word) => embedder.embed(Array<string>(48).fill(word.repeat(300)), document)),
    );
    const tookMs = performance.now() - startedAt;
    delay.disable();
    expect(red).toHaveLength(48);
    expect(new Set(green!.map((vector) => vector.indexOf(Math.max(...vector))))).toEqual(new Set([5]));
    // On the loop, each of the eight runs would be a delay of an eighth.
    expect(tookMs).toBeGreaterThan(500);
    expect(delay.percentile(99) / 1e6).toBeLessThan(tookMs / 30);
  });
});

test.each(['', '.', '..', '../tiny', 'a/b', 'a\\b', '/etc', '.hidden', 'tiny\0', 'x'.repeat(201)])(
  'a name that is not one of a sub-folder is refused: %j',
  (model) => {
    const models = createOnnxModels({ directory: '/nowhere' });
    expect(() => models.provider({ model, dimensions: 3 })).toThrow(
      expect.objectContaining({ code: 'model_unavailable', retryable: false }),
    );
  },
);
