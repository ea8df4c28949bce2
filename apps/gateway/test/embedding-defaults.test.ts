import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newCollectionSchema } from '@sluice/contract';
import { expect, test } from 'vitest';
import { completeCollection, type EmbeddingDefaults } from '../src/embedding-defaults.ts';

const none: EmbeddingDefaults = {
  provider: 'local',
  model: undefined,
  dimensions: undefined,
  onnx: undefined,
};

function complete(embedding: object | undefined, defaults: EmbeddingDefaults) {
  return completeCollection(newCollectionSchema.parse({ name: 'c', embedding }), defaults);
}

async function modelsFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'sluice-models-'));
  await mkdir(join(folder.path, 'e5'));
  await writeFile(join(folder.path, 'e5/config.json'), '{}');
  return folder;
}

test('a collection takes an ONNX model of the server, or the one that the server is set to', async () => {
  await using folder = await modelsFolder();
  const onnx = { directory: folder.path };
  const expected = { embeddingProvider: 'onnx', embeddingModel: 'e5', dimensions: 384 };
  const asked = { provider: 'onnx', model: 'e5', dimensions: 384 };
  expect(complete(asked, { ...none, onnx })).toMatchObject(expected);
  const set: EmbeddingDefaults = { provider: 'onnx', model: 'e5', dimensions: 384, onnx };
  expect(complete(undefined, set)).toMatchObject(expected);
  expect(complete({ provider: 'local' }, set)).toMatchObject({ embeddingModel: 'local-ngram-v1' });
});

test.each([
  [{ provider: 'onnx' }, '/embedding/model', 'name of its folder'],
  [{ provider: 'onnx', model: 'e5' }, '/embedding/dimensions', 'how many dimensions e5 has'],
  [{ provider: 'onnx', model: 'bge', dimensions: 3 }, '/embedding/model', 'no ONNX model "bge"'],
  [{ provider: 'onnx', model: '../models/e5', dimensions: 3 }, '/embedding/model', 'no ONNX model'],
  [{ provider: 'onnx', model: 'e5/.', dimensions: 3 }, '/embedding/model', 'no ONNX model'],
])('%o is refused at %s', async (embedding, path, said) => {
  await using folder = await modelsFolder();
  const create = () => complete(embedding, { ...none, onnx: { directory: folder.path } });
  expect(create).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(said) }),
  );
  expect(create).toThrow(
    expect.objectContaining({
      extras: expect.objectContaining({ errors: [expect.objectContaining({ path })] }),
    }),
  );
});

test('a server without a folder of models says which setting is missing', () => {
  expect(() => complete({ provider: 'onnx', model: 'e5', dimensions: 384 }, none)).toThrow(
    'EMBEDDING_ONNX_MODELS_DIR is not set',
  );
});
