import { setTimeout as sleep } from 'node:timers/promises';
import { type RerankServer, startRerankServer } from '@sluice/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHttpReranker, type Reranker, RerankFault, skipWhileFailing } from '../src/index.ts';
import { scoresOf } from '../src/reranking/formats.ts';

const texts = ['a cat', 'a dog and a dog', 'a bird'];
const options = { model: 'judge-1', apiKey: 'sk-secret', timeoutMs: 300 };

describe.each(['cohere', 'tei'] as const)('a re-ranker that speaks %s', (format) => {
  const at = (server: RerankServer, timeoutMs = 300) =>
    createHttpReranker({ url: server.url, format, ...options, timeoutMs });

  test('gives each text its score, in the order they were sent', async () => {
    await using server = await startRerankServer(format);
    expect(await at(server, 5_000).rerank('dog', texts)).toEqual([0, 2, 0]);
    expect(server.requests).toEqual([
      {
        query: 'dog',
        texts,
        model: format === 'tei' ? undefined : 'judge-1',
        authorization: 'Bearer sk-secret',
      },
    ]);
  });

  test('is sent the beginning of a long text', async () => {
    await using server = await startRerankServer(format);
    await at(server, 5_000).rerank('dog', ['x'.repeat(100_000)]);
    expect(server.requests[0]?.texts[0]).toHaveLength(8_000);
  });

  test('is never sent half a character', async () => {
    await using server = await startRerankServer(format);
    // The pair stands where the text is cut.
    const cutInTwo = `${'x'.repeat(7_999)}\u{1f9a6} dog`;
    expect(await at(server, 5_000).rerank('dog', [cutInTwo, 'a dog'])).toEqual([0, 1]);
    expect(server.requests[0]?.texts[0]).toBe(`${'x'.repeat(7_999)}\ufffd`);
    expect(await at(server, 5_000).rerank('dog \ud83e', ['a dog'])).toEqual([1]);
    expect(server.requests[1]?.query).toBe('dog \ufffd');
  });

  test('gives as many texts as there can be their scores, also when it gives them back', async () => {
    await using server = await startRerankServer(format);
    const long = Array.from({ length: 200 }, (_, i) => 'dog '.repeat(i % 7).padEnd(8_000, 'ế'));
    expect(await at(server, 20_000).rerank('dog', long)).toEqual(long.map((_, i) => i % 7));
    const sent = server.requests.map(({ texts: part }) => part.length);
    expect(sent.sort((a, b) => b - a)).toEqual(format === 'tei' ? [32, 32, 32, 32, 32, 32, 8] : [200]);
  });

  test.each([
    ['status 429', 'it answered with status 429'],
    ['status 500', 'it answered with status 500'],
    ['slow', 'it did not answer within 300 ms'],
    ['cut off', 'it cannot be reached, or broke off'],
    ['redirect', 'it cannot be reached, or broke off'],
    ['not json', 'the answer is not JSON'],
    ['too large', 'the answer has more than 1048732 bytes'],
    ['no list', 'it has no list of results'],
    ['wrong index', 'a result has no index of a text'],
    ['doubled index', 'a text has two scores'],
    ['missing index', 'a text has no score'],
    ['no number', 'a score is no number'],
  ] as const)('and fails (%s) says how, and nothing of its key', async (fault, message) => {
    await using server = await startRerankServer(format);
    server.fault = fault;
    const slow = fault === 'slow';
    const error = await at(server, slow ? 300 : 5_000)
      .rerank('dog', texts)
      .then(
        () => undefined,
        (reason) => reason,
      );
    expect(error).toBeInstanceOf(RerankFault);
    expect(error.message).toContain(message);
    expect(`${error.message} ${error.stack}`).not.toContain('sk-secret');
  });

  test('that is not there says so, and who leaves meanwhile leaves at once', async () => {
    const server = await startRerankServer(format);
    server.fault = 'slow';
    const leaving = new AbortController();
    const waiting = at(server, 60_000).rerank('dog', texts, leaving.signal);
    setTimeout(() => leaving.abort(new Error('the client has gone')), 50);
    await expect(waiting).rejects.toThrow('the client has gone');
    await server[Symbol.asyncDispose]();
    await expect(at(server, 5_000).rerank('dog', texts)).rejects.toThrow('it cannot be reached');
  });

  test('may answer anything: there is a score for each text, or a fault', () => {
    const key = format === 'tei' ? 'score' : 'relevance_score';
    const member = fc.oneof(
      fc.record({ index: fc.oneof(fc.nat(4), fc.anything()), [key]: fc.oneof(fc.double(), fc.anything()) }),
      fc.anything(),
    );
    const list = fc.array(member, { maxLength: 5 });
    const answer = fc.oneof(list, fc.record({ results: list }), fc.anything());
    fc.assert(
      fc.property(answer, fc.nat(4), (given, count) => {
        try {
          const scores = scoresOf(format, given, count);
          return scores.length === count && scores.every(Number.isFinite);
        } catch (error) {
          return error instanceof RerankFault;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a re-ranker that has failed three times is left alone for a while, and then tried by one', async () => {
  let calls = 0;
  let fails = true;
  const flaky: Reranker = {
    async rerank(_query, given) {
      calls += 1;
      if (fails) throw new RerankFault('no');
      return given.map(() => 1);
    },
  };
  const careful = skipWhileFailing(flaky, { failures: 3, pauseMs: 200 });
  for (let i = 0; i < 3; i += 1) await expect(careful.rerank('x', texts)).rejects.toThrow('no');
  await expect(careful.rerank('x', texts)).rejects.toThrow('left alone');
  expect(calls).toBe(3);
  await sleep(220);
  await expect(careful.rerank('x', texts)).rejects.toThrow('no');
  await expect(careful.rerank('x', texts)).rejects.toThrow('left alone');
  expect(calls).toBe(4);
  fails = false;
  await sleep(220);
  expect(await careful.rerank('x', texts)).toEqual([1, 1, 1]);
  expect(await careful.rerank('x', texts)).toEqual([1, 1, 1]);
});
