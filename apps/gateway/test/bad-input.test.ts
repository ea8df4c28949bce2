import { request } from 'node:http';
import { createPool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { form, problemOf } from './support/client.ts';
import { startSluice } from './support/running-service.ts';

const maxBytes = 1_048_576;

describeWithServices(['postgres', 'redis'], 'bad input gets a clear answer and writes nothing', () => {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    sluice = await startSluice('services', { UPLOAD_MAX_BYTES: String(maxBytes), UPLOAD_MAX_FILES: '3' });
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  const send = (path: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
    fetch(`${sluice.url}${path}`, { method: 'POST', body, headers });
  const json = (path: string, body: unknown) =>
    send(path, typeof body === 'string' ? body : JSON.stringify(body), {
      'content-type': 'application/json',
    });
  const upload = (files: Parameters<typeof form>[0], fields?: Record<string, string>) =>
    send('/v1/uploads', form(files, fields));

  async function rowCount(): Promise<number> {
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
    });
    const { rows } = await pool.query<{ count: number }>(
      `select (select count(*) from sluice.uploads) + (select count(*) from sluice.upload_parts)
         + (select count(*) from sluice.documents) as count`,
    );
    return rows[0]?.count ?? -1;
  }

  test('a collection that is deleted while its upload arrives is not found', async () => {
    const name = 'short-lived';
    const embedding = { provider: 'local', model: 'local-ngram-v1', dimensions: 384 };
    expect((await json('/v1/collections', { name, embedding })).status).toBe(201);
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
    });
    // Nobody is told, as when the news of it are still on their way to this replica.
    await pool.query('delete from sluice.collections where name = $1::text', [name]);
    const answer = await upload({ 'a.txt': 'x' }, { collection: name });
    expect(answer.status).toBe(404);
    expect(await problemOf(answer)).toMatchObject({ code: 'collection_not_found' });
  });

  const cases: [title: string, status: number, code: string, () => Promise<Response>, detail?: RegExp][] = [
    [
      'an unknown collection',
      404,
      'collection_not_found',
      () => upload({ 'a.txt': 'x' }, { collection: 'nope' }),
      /nope/,
    ],
    ['a broken JSON body', 400, 'invalid_json', () => json('/v1/uploads', '{"text": '), /JSON/],
    [
      'metadata that is no JSON',
      400,
      'invalid_request',
      () => upload({ 'a.txt': 'x' }, { metadata: '{' }),
      /metadata/,
    ],
    [
      'metadata that is no object',
      400,
      'invalid_request',
      () => upload({ 'a.txt': 'x' }, { metadata: '[1]' }),
      /object/,
    ],
    [
      'metadata over 64 KiB',
      400,
      'invalid_request',
      () => upload({ 'a.txt': 'x' }, { metadata: JSON.stringify({ a: 'x'.repeat(65_536) }) }),
      /65536/,
    ],
    ['a form without a file', 400, 'no_file', () => upload({}, { collection: 'default' })],
    ['no body at all', 400, 'no_file', () => fetch(`${sluice.url}/v1/uploads`, { method: 'POST' })],
    ['an empty file', 400, 'empty_file', () => upload({ 'a.txt': '' }), /a\.txt/],
    [
      'a good file beside an empty one',
      400,
      'empty_file',
      () => upload({ 'a.txt': 'good', 'b.txt': '' }),
      /b\.txt/,
    ],
    [
      'a file over the limit',
      413,
      'file_too_large',
      () => upload({ 'a.txt': 'x'.repeat(maxBytes + 1) }),
      /1048576/,
    ],
    [
      'too many files',
      413,
      'too_many_files',
      () => upload({ 'a.txt': 'x', 'b.txt': 'x', 'c.txt': 'x', 'd.txt': 'x' }),
    ],
    [
      'an unknown format',
      415,
      'unknown_format',
      () => upload({ 'a.bin': new Uint8Array([1, 2, 3, 0, 255, 254]) }),
    ],
    [
      'a form-urlencoded body',
      415,
      'unsupported_media_type',
      () => send('/v1/uploads', new URLSearchParams({ a: 'b' })),
    ],
    [
      'an unknown field',
      400,
      'invalid_request',
      () => upload({ 'a.txt': 'x' }, { colection: 'typo' }),
      /colection/,
    ],
    [
      'a multipart body without its boundary',
      400,
      'invalid_multipart',
      () => send('/v1/uploads', 'x', { 'content-type': 'multipart/form-data' }),
    ],
    [
      'a multipart body that is cut off',
      400,
      'invalid_multipart',
      () =>
        send(
          '/v1/uploads',
          '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
          {
            'content-type': 'multipart/form-data; boundary=b',
          },
        ),
    ],
    [
      'a vector of another length',
      400,
      'wrong_vector_length',
      () => json('/v1/query', { vector: [1, 2] }),
      /2 .*384/,
    ],
    [
      'an unknown operator in a filter',
      400,
      'invalid_request',
      () => json('/v1/query', { query: 'x', filter: { year: { $gtt: 1 } } }),
      /^\/filter\/year\/\$gtt: unknown operator/,
    ],
    [
      'a filter that is nested deeper than a stack',
      400,
      'invalid_request',
      () => json('/v1/query', `{"query": "x", "filter": ${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}}`),
      /^\/filter: is nested deeper/,
    ],
    [
      'metadata that is nested deeper than a stack',
      400,
      'invalid_request',
      () => json('/v1/uploads', `{"text": "x", "metadata": ${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}}`),
      /^\/metadata: metadata is nested deeper/,
    ],
    ['k below 1', 400, 'invalid_request', () => json('/v1/query', { query: 'x', k: 0 }), /^\/k/],
    ['k over 200', 400, 'invalid_request', () => json('/v1/query', { query: 'x', k: 201 }), /^\/k/],
    [
      'a filter that is no object',
      400,
      'invalid_request',
      () => json('/v1/query', { query: 'x', filter: 'y' }),
      /^\/filter/,
    ],
    [
      'a query of an unknown collection',
      404,
      'collection_not_found',
      () => json('/v1/query', { query: 'x', collection: 'no' }),
    ],
    [
      'more dimensions than an index holds',
      400,
      'unsupported_dimensions',
      () => json('/v1/collections', { name: 'big', embedding: { provider: 'local', dimensions: 3000 } }),
      /halfvec/,
    ],
    ['a path that does not exist', 404, 'not_found', () => fetch(`${sluice.url}/v1/nothing`)],
    [
      'a method that a path does not have',
      405,
      'method_not_allowed',
      () => fetch(`${sluice.url}/v1/query`),
      /POST/,
    ],
    ['an id that is none', 404, 'upload_not_found', () => fetch(`${sluice.url}/v1/uploads/1';--`)],
  ];
  test.each(cases)('%s', async (_title, status, code, act, detail) => {
    const before = await rowCount();
    const answer = await act();
    const problem = await problemOf(answer);
    expect(problem).toMatchObject({ status, code, request_id: answer.headers.get('x-request-id') });
    expect(answer.status).toBe(status);
    expect(problem.detail).toMatch(detail ?? /./);
    // Removal of what had been written already may end just after the answer.
    await expect.poll(rowCount).toBe(before);
  });

  test('an unknown format comes with the list of known ones', async () => {
    const problem = await problemOf(await upload({ 'x.exe': 'MZ\x90\0\x03' }));
    expect(problem.known_formats).toHaveLength(11);
  });

  test('an answer of 413 does not wait for the end of the request', async () => {
    const sent = { bytes: 0 };
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = request(`${sluice.url}/v1/uploads`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' },
      });
      const timer = setInterval(() => {
        sent.bytes += 65_536;
        outgoing.write('x'.repeat(65_536));
      }, 2);
      outgoing.on('response', (response) => {
        clearInterval(timer);
        outgoing.destroy();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', (error) => {
        clearInterval(timer);
        reject(error);
      });
    });
    expect(status).toBe(413);
    expect(sent.bytes).toBeLessThan(20 * maxBytes);
  });

  test('the id of a request is taken over when it is a plain one, else made', async () => {
    const idFor = async (given: string) =>
      (await fetch(`${sluice.url}/healthz`, { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      );
    expect(await idFor('order-42.a')).toBe('order-42.a');
    expect(await idFor('<script>')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a file name with bytes that are no text is cleaned, and the document taken (danny-avila/LibreChat#2242)', async () => {
    const body =
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a\0b\x07.txt"\r\n\r\nhello\r\n--b--\r\n';
    const answer = await send('/v1/uploads', body, { 'content-type': 'multipart/form-data; boundary=b' });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ uploads: [{ name: 'ab.txt' }] });
  });
});
