import { describe, expect, test } from 'vitest';
import { ExtractionError, type Format } from '../src/index.ts';
import { epubOf, repack } from './support/archives.ts';
import { docx, pptx, xlsx } from './support/office.ts';
import { pdf } from './support/pdf.ts';
import { createWorkspace } from './support/workspace.ts';

const { extractor, save } = createWorkspace({ timeoutMs: 15_000 });
const rounds = Number(process.env.FUZZ_ROUNDS ?? 24);
/** Printed in the titles; set it to repeat a run. */
const seed = Number(process.env.FUZZ_SEED ?? (Math.random() * 2 ** 31) | 0);

/** A small generator of numbers that gives the same for the same seed (mulberry32). */
function random(state: number): () => number {
  let value = state;
  return () => {
    value = (value + 0x6d2b79f5) | 0;
    let mixed = Math.imul(value ^ (value >>> 15), value | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Cuts the end off, flips bytes, or takes a piece out. */
function damage(bytes: Buffer, next: () => number): Buffer {
  const at = Math.floor(next() * bytes.length);
  if (next() < 0.3) return bytes.subarray(0, at + 1);
  if (next() < 0.3)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + Math.ceil(next() * 64))]);
  const copy = Buffer.from(bytes);
  for (let flips = 1 + Math.floor(next() * 20); flips > 0; flips -= 1) {
    copy[Math.floor(next() * copy.length)] = Math.floor(next() * 256);
  }
  return copy;
}

const samples: Record<Format, () => Promise<Buffer>> = {
  text: async () => Buffer.from('Điều 1. Phạm vi.\n\nĐiều 2. Đối tượng.\n'.repeat(20)),
  markdown: async () =>
    Buffer.from(
      '---\ntitle: x\n---\n# A\n\n- *b*\n\n| c | d |\n|---|---|\n| 1 | 2 |\n\n```\ne\n```\n'.repeat(5),
    ),
  html: async () =>
    Buffer.from(
      '<html><body><h1>A</h1><table><tr><th>b<tr><td>1</table><ul><li>x</ul><pre>y</pre>'.repeat(5),
    ),
  csv: async () => Buffer.from(`Tên,Giá\n${'"An ""x""",5\n'.repeat(30)}`),
  json: async () =>
    Buffer.from(JSON.stringify({ a: [{ b: 1, c: ['x', null, { d: 'é' }] }, { b: 2 }], e: 'f' }).repeat(1)),
  jsonl: async () => Buffer.from('{"a":1,"b":["x"]}\n'.repeat(20)),
  pdf: () => pdf([{ heading: 'A', paragraphs: ['Nhà thầu.', 'Hồ sơ.'] }, { paragraphs: ['Trang hai.'] }]),
  docx,
  pptx,
  xlsx,
  epub: () => epubOf('Sách', { 'a.xhtml': '<h1>A</h1><p>Chương một.', 'b.xhtml': '<p>Hai.' }),
};

async function survive(path: string, format: Format): Promise<string> {
  try {
    const chunks = (await Array.fromAsync(extractor.extract({ path, format }))).flat();
    for (const { text } of chunks) expect(text.includes('\0') || !text.isWellFormed()).toBe(false);
    return 'read';
  } catch (error) {
    expect(error).toBeInstanceOf(ExtractionError);
    return (error as ExtractionError).code;
  }
}

const unacceptable = ['extraction_crashed', 'extraction_timeout', 'source_unreadable', 'extractor_closed'];

describe(`damaged documents (seed ${seed})`, () => {
  for (const [at, [format, sample]] of (
    Object.entries(samples) as [Format, () => Promise<Buffer>][]
  ).entries()) {
    test(`of the format ${format} give chunks or a typed error, in time`, async () => {
      const bytes = await sample();
      const next = random(seed + at);
      for (let round = 0; round < rounds; round += 1) {
        const path = await save(`fuzz.${format}`, damage(bytes, next));
        expect(unacceptable).not.toContain(await survive(path, format));
      }
    });
  }

  for (const [at, format] of (['docx', 'pptx', 'xlsx', 'epub'] as const).entries()) {
    test(`in sound archives of the format ${format} give chunks or a typed error, in time`, async () => {
      const bytes = await samples[format]();
      const next = random(seed - at);
      for (let round = 0; round < rounds; round += 1) {
        const changed = await repack(bytes, (_, part) =>
          part.length > 0 && next() < 0.3 ? damage(part, next) : part,
        );
        const path = await save(`fuzz.${format}`, changed);
        expect(unacceptable).not.toContain(await survive(path, format));
      }
    });
  }
});
