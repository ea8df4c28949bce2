import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '@sluice/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { ExtractionError, type Format } from '../src/index.ts';
import { epubOf, repack } from './support/archives.ts';
import { damage } from './support/damage.ts';
import { hostile } from './support/hostile.ts';
import { docx, pptx, xlsx } from './support/office.ts';
import { pdf } from './support/pdf.ts';
import { createWorkspace } from './support/workspace.ts';

const { extractor, save } = createWorkspace({ timeoutMs: 15_000 });
const rounds = Number(process.env.FUZZ_ROUNDS ?? 24);
const roundTimeout = 60_000 + rounds * 1_000;
/** Printed in the titles; set it to repeat a run. */
const seed = Number(process.env.FUZZ_SEED ?? (Math.random() * 2 ** 31) | 0);

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

const acceptable = new Set([
  'read',
  'broken_document',
  'no_text',
  'empty_document',
  'unknown_format',
  'undecodable_text',
  'encrypted_document',
  'expanded_too_large',
  'too_many_pages',
]);
/** Some of what is made to exhaust its reader is cut off by the limits of the thread; nothing that is only damaged is. */
const exhausting = new Set([...acceptable, 'extraction_out_of_memory']);

async function outcome(path: string, format: Format): Promise<string> {
  try {
    const chunks = (await Array.fromAsync(extractor.extract({ path, format }))).flat();
    for (const { text } of chunks) expect(text.includes('\0') || !text.isWellFormed()).toBe(false);
    return 'read';
  } catch (error) {
    expect(error).toBeInstanceOf(ExtractionError);
    return (error as ExtractionError).code;
  }
}

/** What failed is kept where `FUZZ_KEEP` says, to be looked at. */
async function survive(bytes: Buffer, format: Format, label: string, allowed = acceptable): Promise<void> {
  const path = await save(`fuzz.${format}`, bytes);
  const found = await outcome(path, format);
  const keep = process.env.FUZZ_KEEP;
  if (!allowed.has(found) && keep !== undefined)
    await copyFile(path, join(keep, `${seed}-${label}.${format}`));
  expect([...allowed], label).toContain(found);
  await rm(path);
}

const entries = Object.entries(samples) as [Format, () => Promise<Buffer>][];

afterAll(async () => {
  const path = await save('after.txt', 'Still here.');
  expect(await outcome(path, 'text')).toBe('read');
  await extractor.close();
  const threads = process.getActiveResourcesInfo().filter((it) => it === 'Worker');
  expect(threads).toEqual([]);
});

describe(`damaged documents (FUZZ_SEED=${seed})`, { timeout: roundTimeout }, () => {
  test.each(entries.map(([format, sample], at) => ({ format, sample, at })))(
    'of the format $format give chunks or a typed error, in time',
    async ({ format, sample, at }) => {
      const bytes = await sample();
      const other = await entries[(at + 1) % entries.length]![1]();
      const next = createRandom(seed, `mutation ${at}`).next;
      for (let round = 0; round < rounds; round += 1)
        await survive(damage(bytes, other, next), format, `round-${round}`);
    },
  );

  test.each((['docx', 'pptx', 'xlsx', 'epub'] as const).map((format, at) => ({ format, at })))(
    'in sound archives of the format $format give chunks or a typed error, in time',
    async ({ format, at }) => {
      const bytes = await samples[format]();
      const next = createRandom(seed, `cut ${at}`).next;
      for (let round = 0; round < rounds; round += 1) {
        const changed = await repack(bytes, (_, part) =>
          part.length > 0 && next() < 0.3 ? damage(part, bytes, next) : part,
        );
        await survive(changed, format, `part-round-${round}`);
      }
    },
  );
});

describe('documents made to exhaust their reader', { timeout: roundTimeout }, () => {
  const made = Object.entries(hostile).flatMap(([format, kinds]) =>
    Object.entries(kinds).map(([kind, make]) => ({ format: format as Format, kind, make })),
  );
  test.each(made)('give chunks or a typed error, in time: $format, $kind', async ({ format, kind, make }) => {
    await survive(Buffer.from((await make()) as Buffer), format, kind.replaceAll(' ', '-'), exhausting);
  });
});
