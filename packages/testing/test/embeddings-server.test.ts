import { expect, test } from 'vitest';
import { type EmbeddingsServer, startEmbeddingsServer } from '../src/embeddings-server.ts';

interface Item {
  index: number;
  embedding: string | (number | null)[];
}

async function post(
  server: EmbeddingsServer,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${server.baseUrl}/embeddings`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function items(response: Response): Promise<Item[]> {
  return ((await response.json()) as { data: Item[] }).data;
}

test('answers base64 and JSON numbers with the same vector, which depends on the text alone', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 5 });
  const [base64] = await items(
    await post(server, { model: 'm', input: 'đấu thầu', encoding_format: 'base64' }),
  );
  const [, numbers] = await items(await post(server, { model: 'm', input: ['other', 'đấu thầu'] }));
  const decoded = new Float32Array(new Uint8Array(Buffer.from(base64?.embedding as string, 'base64')).buffer);
  expect(Array.from(decoded)).toEqual(numbers?.embedding);
  expect(decoded).toEqual(server.vectorOf('đấu thầu'));
  expect(Math.hypot(...decoded)).toBeCloseTo(1);
});

test('answers vectors of the length that the request asks for', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 5 });
  const [item] = await items(await post(server, { model: 'm', input: ['a'], dimensions: 7 }));
  expect(item?.embedding).toHaveLength(7);
});

test('records what was asked', async () => {
  await using server = await startEmbeddingsServer();
  await post(
    server,
    { model: 'm', input: ['a', 'b'], encoding_format: 'base64' },
    { authorization: 'Bearer k' },
  );
  expect(server.requests).toMatchObject([
    {
      texts: ['a', 'b'],
      model: 'm',
      encodingFormat: 'base64',
      authorization: 'Bearer k',
      concurrent: 1,
      aborted: false,
    },
  ]);
});

test('refuses a wrong key, an empty text, too many texts and an unknown route', async () => {
  await using server = await startEmbeddingsServer({ apiKey: 'right', maxTexts: 2 });
  const authorization = 'Bearer right';
  expect((await post(server, { model: 'm', input: 'a' }, { authorization: 'Bearer wrong' })).status).toBe(
    401,
  );
  expect((await post(server, { model: 'm', input: '' }, { authorization })).status).toBe(400);
  expect((await post(server, { model: 'm', input: ['a', 'b', 'c'] }, { authorization })).status).toBe(400);
  expect((await fetch(`${server.baseUrl}/models`)).status).toBe(404);
});

test('faults spoil one request each, in order, and the next one is answered correctly', async () => {
  await using server = await startEmbeddingsServer({ dimensions: 4 });
  server.failNext(
    { kind: 'status', status: 429, retryAfter: '2' },
    { kind: 'wrong_dimensions', dimensions: 3 },
    { kind: 'nan', index: 0 },
    { kind: 'missing' },
    { kind: 'reordered' },
  );
  const body = { model: 'm', input: ['a', 'b'] };
  const limited = await post(server, body);
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '2']);
  expect((await items(await post(server, body)))[0]?.embedding).toHaveLength(3);
  expect((await items(await post(server, body)))[0]?.embedding[0]).toBeNull();
  expect(await items(await post(server, body))).toHaveLength(1);
  expect((await items(await post(server, body))).map((item) => item.index)).toEqual([1, 0]);
  expect((await items(await post(server, body))).map((item) => item.index)).toEqual([0, 1]);
});

test('a rule spoils the requests whose texts it picks', async () => {
  await using server = await startEmbeddingsServer();
  server.failWhen((texts) => (texts.includes('bad') ? { kind: 'status', status: 400 } : undefined));
  expect((await post(server, { model: 'm', input: ['good'] })).status).toBe(200);
  expect((await post(server, { model: 'm', input: ['good', 'bad'] })).status).toBe(400);
});

test('cuts a connection before and in the middle of an answer', async () => {
  await using server = await startEmbeddingsServer();
  server.failNext({ kind: 'refuse' }, { kind: 'cut' });
  await expect(post(server, { model: 'm', input: 'a' })).rejects.toThrow();
  const cut = await post(server, { model: 'm', input: 'a' });
  expect(cut.status).toBe(200);
  await expect(cut.text()).rejects.toThrow();
});

test('closes while an answer is being held back, and notices that the client has gone', async () => {
  const server = await startEmbeddingsServer();
  server.failNext({ kind: 'stall' });
  const stalled = await post(server, { model: 'm', input: 'a' });
  await server.close();
  await expect(stalled.text()).rejects.toThrow();
  expect(server.requests[0]?.aborted).toBe(true);
  await server.close();
});
