import type { Embedder } from '@sluice/embeddings';
import { expect, test } from 'vitest';
import { createQueryEmbedder } from '../src/embedding-line.ts';

const vector = new Float32Array([1]);
const { signal } = new AbortController();

/** Answers when it is told to. */
function heldEmbedder(): Embedder & { release(): void } {
  const held: (() => void)[] = [];
  return {
    embed: () => new Promise((resolve) => held.push(() => resolve([vector]))),
    refusal: () => undefined,
    close: async () => {},
    release: () => {
      for (const one of held.splice(0)) one();
    },
  };
}

test('a text that would be one too many in line is refused, with a time to come back', async () => {
  const line = createQueryEmbedder(2);
  const embedder = heldEmbedder();
  const first = line(embedder)('a', signal);
  const second = line(embedder)('b', signal);
  await expect(line(embedder)('c', signal)).rejects.toMatchObject({
    code: 'overloaded',
    details: { waiting: 2, retryAfterMs: expect.any(Number) },
  });
  embedder.release();
  expect(await Promise.all([first, second])).toEqual([vector, vector]);
  const third = line(embedder)('c', signal);
  embedder.release();
  expect(await third).toBe(vector);
});

test('one model that does not answer keeps no other from being asked', async () => {
  const line = createQueryEmbedder(1);
  const [stuck, other] = [heldEmbedder(), heldEmbedder()];
  void line(stuck)('a', signal);
  const answered = line(other)('a', signal);
  other.release();
  expect(await answered).toBe(vector);
  await expect(line(stuck)('b', signal)).rejects.toMatchObject({ code: 'overloaded' });
});

test('a text that failed leaves its place', async () => {
  const line = createQueryEmbedder(1);
  const failing: Embedder = {
    ...heldEmbedder(),
    embed: async () => {
      throw new Error('no embedding today');
    },
  };
  for (let i = 0; i < 3; i += 1)
    await expect(line(failing)('a', signal)).rejects.toThrow('no embedding today');
});
