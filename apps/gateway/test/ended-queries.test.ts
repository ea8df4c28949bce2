import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import type { AnswerBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, problemOf } from './support/client.ts';
import { type Onlooker, watchDatabase } from './support/held-chunks.ts';
import { startSluice } from './support/running-service.ts';

const within = { timeout: 1_000, interval: 10 };

describeWithServices(['postgres', 'redis'], 'queries that are ended before they are answered', () => {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  let onlooker: Onlooker;
  let url: string;

  beforeAll(async () => {
    sluice = await startSluice('services', { SEARCH_TIMEOUT_MS: '5000' });
    url = `${sluice.url}/v1/query`;
    onlooker = watchDatabase(sluice.environment.DATABASE_URL as string);
    await createClient(sluice.url).upload('fox.txt', 'The quick brown fox jumps.');
  });
  afterAll(async () => {
    await onlooker?.[Symbol.asyncDispose]();
    await sluice?.[Symbol.asyncDispose]();
  });

  function ask(body: Record<string, unknown>): Promise<Response> {
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
  /** On a socket of its own, which `destroy` closes. */
  function askOver(body: Record<string, unknown>): ClientRequest {
    const asked = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    });
    asked.on('error', () => {});
    asked.end(JSON.stringify(body));
    return asked;
  }

  test('one that is over its time is answered with 504, and its statement ends on the server', async () => {
    await using _ = await onlooker.holdChunks();
    const startedAt = performance.now();
    const answer = ask({ query: 'a late fox', timeout_ms: 400 });
    await expect.poll(() => onlooker.held(), within).toBe(1);
    const problem = await problemOf(await answer);
    expect(performance.now() - startedAt).toBeLessThan(400 + 1_000);
    expect(problem).toMatchObject({ status: 504, code: 'deadline_exceeded', timeout_ms: 400 });
    expect(problem.detail).toMatch(/longer than 400 ms: .*timeout_ms/);
    await expect.poll(() => onlooker.held(), within).toBe(0);
  });

  test('a request may shorten its time, but not lengthen it', async () => {
    await using _ = await onlooker.holdChunks();
    const answer = await problemOf(await ask({ query: 'a patient fox', timeout_ms: 60_000 }));
    expect(answer).toMatchObject({ code: 'deadline_exceeded', timeout_ms: 5_000 });
    for (const timeout_ms of [0, 60_001, 1.5]) {
      const refused = await problemOf(await ask({ query: 'fox', timeout_ms }));
      expect(refused.errors).toMatchObject([{ path: '/timeout_ms' }]);
    }
  });

  test('when the client goes away, the statement ends on the server within a second', async () => {
    await using _ = await onlooker.holdChunks();
    const asked = askOver({ query: 'a fox that is left' });
    await expect.poll(() => onlooker.held(), within).toBe(1);
    asked.destroy();
    await expect.poll(() => onlooker.held(), within).toBe(0);
  });

  test('of two clients that share a run one may leave; when both have, it ends', async () => {
    const body = { query: 'a fox that is shared' };
    const held = await onlooker.holdChunks();
    const leaving = askOver(body);
    await expect.poll(() => onlooker.held(), within).toBe(1);
    const staying = askOver(body);
    await new Promise((resolve) => setTimeout(resolve, 200));
    leaving.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await onlooker.held()).toBe(1);
    await held[Symbol.asyncDispose]();
    const [answer] = await once(staying, 'response');
    const { results } = JSON.parse((await answer.toArray()).join('')) as AnswerBody;
    expect(results).toHaveLength(1);

    await using _ = await onlooker.holdChunks();
    const both = [0, 1].map(() => askOver({ query: 'a fox that both leave' }));
    await expect.poll(() => onlooker.held(), within).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const asked of both) asked.destroy();
    await expect.poll(() => onlooker.held(), within).toBe(0);
  });

  test('a client that leaves while its body is on the way starts nothing', async () => {
    await using _ = await onlooker.holdChunks();
    const asked = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
      agent: false,
    });
    asked.on('error', () => {});
    asked.write('{"query": "half a ');
    await new Promise((resolve) => setTimeout(resolve, 100));
    asked.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await onlooker.held()).toBe(0);
    expect((await fetch(`${sluice.url}/healthz`)).status).toBe(200);
  });

  test('when one of several searches is refused, the others end with the answer', async () => {
    await using _ = await onlooker.holdChunks();
    const queries = [{ query: 'a fox beside a fault' }, { vector: [1, 2, 3] }];
    expect(await problemOf(await ask({ queries }))).toMatchObject({ code: 'wrong_vector_length' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await onlooker.held()).toBe(0);
  });

  test('what was ended leaves nothing behind: the next query is answered', async () => {
    expect(await (await ask({ query: 'a late fox' })).json()).toMatchObject({
      results: [{ text: 'The quick brown fox jumps.' }],
      answer: { cached: 'none' },
    });
  });
});
