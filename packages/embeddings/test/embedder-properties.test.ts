import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEmbedder, EmbeddingError, type EmbeddingProvider } from '../src/index.ts';

interface Sent {
  readonly texts: readonly string[];
  readonly purpose: string;
}

/** In process, for thousands of runs; the vector of a text tells its number. Every `failEvery`th request fails. */
function numberProvider(failEvery: number, sent: Sent[]): EmbeddingProvider & { most: number } {
  let underWay = 0;
  return {
    name: 'local',
    model: 'numbers',
    dimensions: 1,
    limits: { maxTexts: 1000, maxTokens: 1000 },
    most: 0,
    async embed(texts, { purpose, signal }) {
      sent.push({ texts, purpose });
      underWay += 1;
      this.most = Math.max(this.most, underWay);
      const failing = failEvery > 0 && sent.length % failEvery === 0;
      for (let turn = sent.length % 3; turn >= 0; turn -= 1)
        await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      signal?.throwIfAborted();
      if (failing) throw new EmbeddingError('short_answer', 'on demand');
      return texts.map((text) => Float32Array.of(Number(text)));
    },
  };
}

const call = fc.record({
  tokens: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 12 }),
  purpose: fc.constantFrom('document' as const, 'query' as const),
  /** Turns of the event loop after which the call is made, and after which it is cancelled. */
  start: fc.integer({ min: 0, max: 4 }),
  cancelAfter: fc.option(fc.integer({ min: 0, max: 6 })),
});

const scenario = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 8 }),
  maxTexts: fc.integer({ min: 1, max: 6 }),
  maxTokens: fc.integer({ min: 1, max: 20 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  failEvery: fc.constantFrom(0, 0, 3, 5),
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('whatever is asked, cancelled and failing: own vectors in order, limits kept, nobody left waiting', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ calls, maxTexts, maxTokens, concurrency, failEvery }) => {
      const sent: Sent[] = [];
      const provider = numberProvider(failEvery, sent);
      const options = { maxTexts, maxTokens, concurrency, maxWaitMs: 1, retries: 50, firstRetryMs: 1 };
      const embedder = createEmbedder(provider, options);
      const tokensOf = new Map<string, number>();
      const purposeOf = new Map<string, string>();

      await Promise.all(
        calls.map(async ({ tokens, purpose, start, cancelAfter }) => {
          const texts = tokens.map((count) => {
            const text = String(tokensOf.size);
            tokensOf.set(text, count);
            purposeOf.set(text, purpose);
            return text;
          });
          await turns(start);
          const controller = new AbortController();
          const reason = new Error('cancelled');
          const vectors = embedder.embed(texts, { purpose, tokens, signal: controller.signal });
          if (cancelAfter !== null) void turns(cancelAfter).then(() => controller.abort(reason));
          try {
            expect((await vectors).map(([number]) => String(number))).toEqual(texts);
          } catch (error) {
            expect([error, cancelAfter === null]).toEqual([reason, false]);
          }
        }),
      );

      for (const { texts, purpose } of sent) {
        expect(texts.length).toBeGreaterThan(0);
        expect(texts.length).toBeLessThanOrEqual(maxTexts);
        expect(new Set(texts).size).toBe(texts.length);
        expect(texts.every((text) => purposeOf.get(text) === purpose)).toBe(true);
        const sum = texts.reduce((total, text) => total + (tokensOf.get(text) ?? 0), 0);
        if (texts.length > 1) expect(sum).toBeLessThanOrEqual(maxTokens);
      }
      expect(provider.most).toBeLessThanOrEqual(concurrency);
      if (failEvery === 0)
        expect(sent.flatMap(({ texts }) => texts).length).toBeLessThanOrEqual(tokensOf.size);
      await embedder.close();
    }),
    { numRuns: 300 },
  );
}, 60_000);
