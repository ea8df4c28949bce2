import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { largeDocuments } from './support/large.ts';
import { readInProcess } from './support/read-in-process.ts';

/** What a worker has unless it is told otherwise. */
const options = { threads: 2, memoryMb: 160, timeoutMs: 300_000, maxExpandedBytes: 2 ** 30 };
const mebibyte = 2 ** 20;

describe('a process that reads large documents', { timeout: 120_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'extraction-memory-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function document(kind: string, bytes: number) {
    const { format, write } = largeDocuments[kind]!;
    const path = join(folder, `${kind}-${bytes}`);
    await write(path, bytes);
    return { path, format };
  }

  test('has less than 512 MiB resident with a PDF of 95 MB and one of 1 600 pages (infiniflow/ragflow#11822)', async () => {
    const pictures = await document('pdf of pictures', 95e6);
    const pages = await document('pdf of 1 600 pages', 3e6);
    const { outcomes, peakBytes } = await readInProcess({ options, documents: [pictures, pages] });
    expect(outcomes).toMatchObject([
      { code: 'read', pages: 400 },
      { code: 'read', pages: 1_600 },
    ]);
    expect(peakBytes / mebibyte).toBeLessThan(512);
  });

  test('has less than 512 MiB resident in the midst of a text and a CSV of 100 MB', async () => {
    const [text, csv] = [await document('text', 100e6), await document('csv', 15e6)];
    // Reading all of it takes minutes; what is held does not grow with what was read.
    const { outcomes, peakBytes } = await readInProcess({
      options,
      documents: [text, csv],
      leaveAt: 2_000_000,
    });
    expect(outcomes.map(({ code }) => code)).toEqual(['read', 'read']);
    expect(Math.min(...outcomes.map(({ characters }) => characters))).toBeGreaterThanOrEqual(2_000_000);
    expect(peakBytes / mebibyte).toBeLessThan(512);
  });

  test('ends a document that needs more, and stays below 512 MiB', async () => {
    const long = await document('json in one string', 90e6);
    const short = await document('text', 100_000);
    const { outcomes, peakBytes } = await readInProcess({ options, documents: [long, short] });
    expect(outcomes.map(({ code }) => code)).toEqual(['extraction_out_of_memory', 'read']);
    expect(peakBytes / mebibyte).toBeLessThan(512);
  });
});
