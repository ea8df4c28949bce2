import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { chunkBlocks } from '../src/chunking/chunker.ts';
import { createUnitizer } from '../src/chunking/units.ts';
import { type ChunkingOptions, createRejoiner, detectFormat } from '../src/index.ts';
import { openDocument } from '../src/read-document.ts';

const corpus = new URL('../../../examples/corpus/', import.meta.url);
const files = await readdir(corpus);

async function readBlocks(file: string) {
  const path = fileURLToPath(new URL(file, corpus));
  const format = detectFormat({
    fileName: file,
    mediaType: undefined,
    head: (await readFile(path)).subarray(0, 4_096),
  });
  const source = { path, fileName: file, charset: null };
  const limits = { maxExpandedBytes: 100_000_000, maxPages: 1_000 };
  const document = await openDocument(source, format, limits, () => {});
  return Array.fromAsync(document.blocks);
}

async function rejoin(blocks: Awaited<ReturnType<typeof readBlocks>>, options: ChunkingOptions) {
  async function* stream() {
    yield* blocks;
  }
  const chunks = await Array.fromAsync(chunkBlocks(stream(), options));
  const next = createRejoiner();
  return { chunks, text: chunks.map(next).join('') };
}

const settings: ChunkingOptions[] = [
  { maxTokens: 32, overlapTokens: 0 },
  { maxTokens: 64, overlapTokens: 32 },
  { maxTokens: 400, overlapTokens: 80 },
  { maxTokens: 4_096, overlapTokens: 0 },
];

describe.each(settings)(
  'chunks of at most $maxTokens tokens with an overlap of $overlapTokens',
  (options) => {
    test.each(files)('give back the text of %s', async (file) => {
      const blocks = await readBlocks(file);
      const unitsOf = createUnitizer(1_000);
      const extracted = blocks.flatMap((block) => [...unitsOf(block)].map(({ text }) => text)).join('');
      const { chunks, text } = await rejoin(blocks, options);
      expect(text.replaceAll(/\s/g, ' ')).toBe(extracted.replaceAll(/\s/g, ' '));
      for (const chunk of chunks) expect(text.slice(chunk.charStart, chunk.charEnd)).toBe(chunk.text);
      // Of the blanks between chunks only the number is known. Where a chunk holds several lines or sentences they are concluded rightly.
      const others = [...text].filter((character, at) => character !== extracted[at]).length;
      expect(others).toBeLessThan(options.maxTokens === 32 ? chunks.length : chunks.length / 4 + 1);
    });
  },
);
