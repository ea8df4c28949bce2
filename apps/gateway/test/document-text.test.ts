import { fileURLToPath } from 'node:url';
import type { ChunkBody } from '@sluice/contract';
import { type Chunk, createExtractor, type Format } from '@sluice/extraction';
import { createPool } from '@sluice/pool';
import { type Document, findDocument, readTextChunks } from '@sluice/store';
import { expect, test } from 'vitest';
import { corpus, problemOf } from './support/client.ts';
import { describeInModes, type SluiceOfSuite } from './support/in-modes.ts';

const singleBlanks = (text: string) => text.replaceAll(/\s/g, ' ');

/** The text of a file that fits into one chunk, as extraction gives it. */
async function extracted(file: string, format: Format): Promise<string> {
  const extractor = createExtractor({
    threads: 1,
    memoryMb: 256,
    timeoutMs: 20_000,
    maxExpandedBytes: 10_000_000,
  });
  try {
    const path = fileURLToPath(new URL(file, corpus));
    const chunking = { maxTokens: 4_096, overlapTokens: 0 };
    const chunks: Chunk[] = [];
    const signal = new AbortController().signal;
    for await (const batch of extractor.extract({ path, format, fileName: file, chunking, signal }))
      chunks.push(...batch);
    expect(chunks).toHaveLength(1);
    return chunks[0]?.text as string;
  } finally {
    await extractor.close();
  }
}

function documentText(sluice: SluiceOfSuite): void {
  const get = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${sluice.url}/v1/documents/${id}/text`, { headers });

  // Without the second header fetch adds one that asks for the whole answer.
  const asked = (id: string) => ({ 'if-none-match': `"${id}"`, 'cache-control': 'max-age=0' });

  test.each([
    ['conflicts-of-interest.txt', 'text'],
    ['lien-danh-nha-thau.txt', 'text'],
    ['bid-rigging-signs.csv', 'csv'],
  ] as const)('is what extraction gives of %s, however it is cut into chunks', async (file, format) => {
    const whole = await extracted(file, format);
    for (const chunking of [
      { max_tokens: 4_096, overlap_tokens: 0 },
      { max_tokens: 48, overlap_tokens: 0 },
      { max_tokens: 64, overlap_tokens: 32 },
    ]) {
      const { document_id, progress } = await sluice.client.uploadFromCorpus(file, {
        chunking: JSON.stringify(chunking),
        external_id: `${file}-${chunking.max_tokens}`,
      });
      const answer = await get(document_id);
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      const text = await answer.text();
      expect(singleBlanks(text)).toBe(singleBlanks(whole));
      if (progress.total === 1) expect(text).toBe(whole);
      else expect(progress.total).toBeGreaterThan(5);
      const page = await fetch(`${sluice.url}/v1/documents/${document_id}/chunks?limit=500`);
      const { chunks } = (await page.json()) as { chunks: ChunkBody[] };
      for (const chunk of chunks) expect(text.slice(chunk.char_start, chunk.char_end)).toBe(chunk.text);
    }
  });

  test('comes in pages of chunks for a long document, and nothing is lost or doubled between them', async () => {
    const long = Array.from({ length: 700 }, (_, i) => `“Paragraph” ${i} — điều khoản \\ \u0001 😀.`).join(
      '\n\n',
    );
    const { document_id, id, progress } = await sluice.client.upload('long.txt', long, {
      chunking: '{"max_tokens":32,"overlap_tokens":8}',
    });
    expect(progress.total).toBeGreaterThan(200);
    const text = await (await get(document_id)).text();
    expect([...text.matchAll(/Paragraph” (\d+) /g)].map(([, i]) => Number(i))).toEqual(
      Array.from({ length: 700 }, (_, i) => i),
    );
    const answer = await get(document_id, { accept: 'application/json' });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await answer.json()).toEqual({ document_id, upload_id: id, characters: text.length, text });
  });

  test('is asked for by type and by version', async () => {
    const { document_id, id } = await sluice.client.upload('short.txt', 'It is short.', {
      external_id: 'short',
    });
    const answer = await get(document_id);
    expect(answer.headers.get('etag')).toBe(`"${id}"`);
    expect((await get(document_id, asked(id))).status).toBe(304);
    const refused = await get(document_id, { accept: 'image/png' });
    expect(refused.status).toBe(406);
    expect((await problemOf(refused)).code).toBe('not_acceptable');
    await sluice.client.upload('short.txt', 'It is another.', { external_id: 'short' });
    const next = await get(document_id, asked(id));
    expect(await next.text()).toBe('It is another.');
    for (const missing of ['nonsense', '00000000-0000-7000-8000-000000000000']) {
      expect((await problemOf(await get(missing))).code).toBe('document_not_found');
    }
    expect((await fetch(`${sluice.url}/v1/documents/${document_id}/text`, { method: 'POST' })).status).toBe(
      405,
    );
  });

  test('of a version that is replaced while it is read is broken off, never mixed', async () => {
    const long = Array.from({ length: 40 }, (_, i) => `Paragraph ${i} of the first version. `.repeat(8));
    const { document_id } = await sluice.client.upload('mixed.txt', long.join('\n\n'), {
      external_id: 'mixed',
    });
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
      sharedSession: sluice.environment.SLUICE_EMBEDDED === 'true',
    });
    const document = (await findDocument(pool, document_id)) as Document;
    const pages = readTextChunks(pool, document, 1);
    expect((await pages.next()).value).toHaveLength(1);
    await sluice.client.upload('mixed.txt', long.join('\n\n').replaceAll('first', 'second'), {
      external_id: 'mixed',
    });
    await expect(pages.next()).rejects.toMatchObject({ code: 'document_changed' });
  });
}

describeInModes('the text of a document', ['embedded', 'services'], documentText);
