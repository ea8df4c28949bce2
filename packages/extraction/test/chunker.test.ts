import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Block } from '../src/block.ts';
import { chunkBlocks } from '../src/chunking/chunker.ts';
import { createUnitizer } from '../src/chunking/units.ts';
import {
  type Chunk,
  type ChunkingOptions,
  countTokens,
  createRejoiner,
  validateChunking,
} from '../src/index.ts';
import { cleanBlocks } from '../src/text/clean-blocks.ts';

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function chunk(
  blocks: readonly Block[],
  options: ChunkingOptions,
): Promise<{ text: string; chunks: Chunk[] }> {
  const cleaned = await Array.fromAsync(cleanBlocks(stream(blocks)));
  const unitsOf = createUnitizer(1000);
  const text = cleaned.flatMap((block) => [...unitsOf(block)].map((unit) => unit.text)).join('');
  return { text, chunks: await Array.fromAsync(chunkBlocks(stream(cleaned), options)) };
}

const words = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'nhà',
      'thầu',
      'Điều',
      'hồ',
      'sơ',
      'bid',
      'The',
      'entity',
      '12',
      '5.000.000',
      'a',
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '.',
      '!',
      '?',
      '…',
      '\n',
      ';',
      '<|endoftext|>',
      '😀',
      '👩‍👩‍👧',
      'e\u0301',
      '漢字',
      'สวัสดี',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.nat(600).map((length) => 'x9'.repeat(length)) },
);
const prose = fc
  .array(words, { maxLength: 120 })
  .map((list) => list.join(' ').replaceAll(/ (?=[.!?;…])/g, ''));
const block: fc.Arbitrary<Block> = fc.record(
  {
    kind: fc.constantFrom('heading', 'paragraph', 'paragraph', 'list_item', 'table_row', 'code'),
    text: prose,
    level: fc.integer({ min: 1, max: 6 }),
    continues: fc.boolean(),
  },
  { requiredKeys: ['kind', 'text'] },
);
const paged = fc
  .tuple(fc.array(block, { maxLength: 25 }), fc.integer({ min: 0, max: 5 }))
  .map(([blocks, perPage]) =>
    perPage === 0 ? blocks : blocks.map((it, at) => ({ ...it, page: 1 + Math.floor(at / perPage) })),
  );
const options: fc.Arbitrary<ChunkingOptions> = fc
  .integer({ min: 16, max: 200 })
  .chain((maxTokens) =>
    fc.record({ maxTokens: fc.constant(maxTokens), overlapTokens: fc.nat(Math.floor(maxTokens / 2)) }),
  );

describe('chunks of any document', () => {
  test('give back its text, each character at its place and once, but for the kind of blanks between them', async () => {
    await fc.assert(
      fc.asyncProperty(paged, options, async (blocks, limits) => {
        const { text, chunks } = await chunk(blocks, limits);
        const next = createRejoiner();
        const rejoined = chunks.map(next).join('');
        expect(rejoined.replaceAll(/\s/g, ' ')).toBe(text.slice(0, rejoined.length).replaceAll(/\s/g, ' '));
        expect(text.slice(rejoined.length).trim()).toBe('');
        for (const it of chunks) expect(rejoined.slice(it.charStart, it.charEnd)).toBe(it.text);
      }),
      { numRuns: 150 },
    );
  });

  test('are slices of its text that cover every character but blanks, within the limits', async () => {
    await fc.assert(
      fc.asyncProperty(paged, options, async (blocks, limits) => {
        const { text, chunks } = await chunk(blocks, limits);
        let covered = 0;
        for (const [at, it] of chunks.entries()) {
          expect(it.ordinal).toBe(at);
          expect(text.slice(it.charStart, it.charEnd)).toBe(it.text);
          expect(it.text).toBe(it.text.trim());
          expect(it.text).not.toBe('');
          expect(it.text.isWellFormed()).toBe(true);
          expect(it.tokens).toBe(countTokens(it.text));
          expect(it.tokens).toBeLessThanOrEqual(limits.maxTokens);
          // What two chunks share is within the overlap; what lies between two is blank.
          if (at > 0) {
            const shared = text.slice(it.charStart, Math.max(it.charStart, covered));
            expect(countTokens(shared)).toBeLessThanOrEqual(limits.overlapTokens + 1);
            expect(it.charEnd).toBeGreaterThan(covered);
          }
          expect(text.slice(covered, Math.max(covered, it.charStart)).trim()).toBe('');
          covered = it.charEnd;
        }
        expect(text.slice(covered).trim()).toBe('');
      }),
      { numRuns: 400 },
    );
  });

  test('are the same every time', async () => {
    await fc.assert(
      fc.asyncProperty(paged, options, async (blocks, limits) => {
        expect(await chunk(blocks, limits)).toEqual(await chunk(blocks, limits));
      }),
      { numRuns: 50 },
    );
  });
});

describe('chunks', () => {
  const sentence = (number: number) => `Sentence number ${number} says something about bids.`;
  const paragraph = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => sentence(from + at)).join(' ');

  test('repeat whole sentences from the end of the one before', async () => {
    const { chunks } = await chunk([{ kind: 'paragraph', text: paragraph(0, 60) }], {
      maxTokens: 100,
      overlapTokens: 20,
    });
    expect(chunks.length).toBeGreaterThan(5);
    for (const [at, it] of chunks.entries()) {
      expect(it.text).toMatch(/^Sentence number \d+ .*bids\.$/);
      if (at === 0) continue;
      const before = chunks[at - 1]!;
      const repeated = before.text.slice(it.charStart - before.charStart);
      expect(repeated).toMatch(/^Sentence number \d+ .*bids\.$/);
      expect(it.text.startsWith(repeated)).toBe(true);
    }
  });

  test('do not repeat anything when the overlap is 0', async () => {
    const { text, chunks } = await chunk([{ kind: 'paragraph', text: paragraph(0, 60) }], {
      maxTokens: 100,
      overlapTokens: 0,
    });
    expect(chunks.map((it) => it.text).join(' ')).toBe(text);
  });

  test('end with a paragraph where that leaves them reasonably full', async () => {
    const blocks = Array.from(
      { length: 12 },
      (_, at): Block => ({ kind: 'paragraph', text: paragraph(at * 4, 4) }),
    );
    const { chunks } = await chunk(blocks, { maxTokens: 120, overlapTokens: 0 });
    const ends = new Set(blocks.map((it) => it.text.slice(-60)));
    for (const it of chunks) expect(ends).toContain(it.text.slice(-60));
  });

  test('never leave a heading behind without its text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
        async (lengths) => {
          const blocks = lengths.flatMap((length, at): Block[] => [
            { kind: 'heading', level: 1 + (at % 3), text: `Section ${at}` },
            { kind: 'paragraph', text: paragraph(at, length) },
          ]);
          const { chunks } = await chunk(blocks, { maxTokens: 64, overlapTokens: 16 });
          for (const it of chunks) expect(it.text).not.toMatch(/Section \d+$/);
        },
      ),
    );
  });

  test('begin with a section, without overlap, once the one before is half full', async () => {
    const { chunks } = await chunk(
      [
        { kind: 'heading', level: 2, text: 'One' },
        { kind: 'paragraph', text: paragraph(0, 6) },
        { kind: 'heading', level: 2, text: 'Two' },
        { kind: 'paragraph', text: paragraph(6, 6) },
      ],
      { maxTokens: 100, overlapTokens: 30 },
    );
    expect(chunks.map((it) => [it.text.slice(0, 3), it.headingPath])).toEqual([
      ['One', ['One']],
      ['Two', ['Two']],
    ]);
  });

  test('know the headings above them', async () => {
    const heading = (level: number, text: string): Block => ({ kind: 'heading', level, text });
    const body: Block = { kind: 'paragraph', text: paragraph(0, 6) };
    const { chunks } = await chunk(
      [heading(1, 'A'), heading(3, 'B'), body, heading(2, 'C'), body, heading(1, 'D'), body],
      { maxTokens: 100, overlapTokens: 0 },
    );
    expect(chunks.map((it) => it.headingPath)).toEqual([['A', 'B'], ['A', 'C'], ['D']]);
  });

  test('never go on to another page', async () => {
    const blocks = Array.from(
      { length: 9 },
      (_, at): Block => ({ kind: 'paragraph', text: sentence(at), page: 1 + Math.floor(at / 3) }),
    );
    const { chunks } = await chunk(blocks, { maxTokens: 400, overlapTokens: 80 });
    expect(chunks.map((it) => [it.page, it.text.match(/number \d/g)?.length])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  test('keep sentences of Vietnamese law whole', async () => {
    const law = 'Nhà thầu phải nộp hồ sơ dự thầu trước thời điểm đóng thầu. ';
    const { chunks } = await chunk([{ kind: 'paragraph', text: law.repeat(40) }], {
      maxTokens: 128,
      overlapTokens: 40,
    });
    for (const it of chunks)
      expect(it.text).toMatch(/^(Nhà thầu phải nộp hồ sơ dự thầu trước thời điểm đóng thầu\. ?)+$/);
  });

  test('hold one window of a document, however long it is', async () => {
    let pulled = 0;
    async function* endless(): AsyncGenerator<Block> {
      for (;;) {
        pulled += 1;
        yield { kind: 'paragraph', text: sentence(pulled) };
      }
    }
    const iterator = chunkBlocks(endless(), { maxTokens: 100, overlapTokens: 20 });
    for (let taken = 0; taken < 50; taken += 1) await iterator.next();
    await iterator.return(undefined);
    expect(pulled).toBeLessThan(50 * 15);
  });
});

describe('chunking options', () => {
  test('are refused out of range, with the option and what was expected', () => {
    for (const [maxTokens, overlapTokens, option] of [
      [15, 0, 'maxTokens'],
      [4097, 0, 'maxTokens'],
      [100.5, 0, 'maxTokens'],
      [100, 51, 'overlapTokens'],
      [100, -1, 'overlapTokens'],
      [100, Number.NaN, 'overlapTokens'],
    ] as const) {
      expect(() => validateChunking({ maxTokens, overlapTokens })).toThrow(
        expect.objectContaining({ code: 'invalid_options', details: expect.objectContaining({ option }) }),
      );
    }
    expect(validateChunking({ maxTokens: 16, overlapTokens: 8 })).toEqual({
      maxTokens: 16,
      overlapTokens: 8,
    });
  });
});
