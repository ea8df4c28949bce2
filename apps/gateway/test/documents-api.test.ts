import type { ChunkBody, DocumentBody } from '@sluice/contract';
import { expect, test } from 'vitest';
import { problemOf } from './support/client.ts';
import { describeInModes, type SluiceOfSuite } from './support/in-modes.ts';

function documentsApi(sluice: SluiceOfSuite): void {
  const get = (path: string) => fetch(`${sluice.url}/v1/documents${path}`);
  const list = async (query: string) =>
    (await (await get(query)).json()) as { documents: DocumentBody[]; next_cursor: string | null };
  const patch = (id: string, body: unknown) =>
    fetch(`${sluice.url}/v1/documents/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  test('documents are listed page by page, each once, and one is found by its external id', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      ids.push(
        (await sluice.client.upload(`${i}.txt`, `Document ${i}.`, { external_id: `list-${i}` })).document_id,
      );
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await list(`?limit=3${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...page.documents.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toEqual(ids);
    expect((await list('?external_id=list-4')).documents.map(({ id }) => id)).toEqual([ids[4]]);
    expect((await list('?external_id=nobody')).documents).toEqual([]);
    expect((await get('?collection=nowhere')).status).toBe(404);
    for (const bad of ['limit=0', 'cursor=nonsense', 'colour=red']) {
      expect((await get(`?${bad}`)).status).toBe(400);
    }
  });

  test('the chunks of a document are what searches give, in order and with their places', async () => {
    const text = Array.from({ length: 60 }, (_, i) =>
      `# Part ${i}\n\nIt says ${i}. `.concat('word '.repeat(120)),
    ).join('\n\n');
    const { document_id, progress } = await sluice.client.upload('parts.md', text);
    const chunks: ChunkBody[] = [];
    let cursor: string | null = null;
    do {
      const answer = await get(`/${document_id}/chunks?limit=25${cursor ? `&cursor=${cursor}` : ''}`);
      const page = (await answer.json()) as { chunks: ChunkBody[]; next_cursor: string | null };
      chunks.push(...page.chunks);
      cursor = page.next_cursor;
    } while (cursor);
    expect(chunks).toHaveLength(progress.total as number);
    expect(chunks.map(({ ordinal }) => ordinal)).toEqual(chunks.map((_, i) => i));
    expect(chunks[0]).toMatchObject({
      heading_path: ['Part 0'],
      text: expect.stringContaining('It says 0.'),
    });
    const { results } = await sluice.client.query({ query: 'It says 31', k: 1 });
    expect(chunks).toContainEqual(
      expect.objectContaining({ id: results[0]?.chunk_id, text: results[0]?.text }),
    );
    expect((await get('/nonsense/chunks')).status).toBe(404);
  });

  test('metadata changes at once for searches, without a new version', async () => {
    const upload = await sluice.client.upload('old-name.txt', 'The osprey circles.', {
      external_id: 'osprey',
      metadata: '{"bird":"osprey","status":"draft"}',
    });
    const find = (filter: Record<string, unknown>) => sluice.client.query({ query: 'osprey', filter, k: 5 });
    expect((await find({ status: 'draft' })).results).toHaveLength(1);
    const answer = await patch(upload.document_id, {
      metadata: { bird: 'osprey', status: 'final' },
      name: 'new-name.txt',
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      name: 'new-name.txt',
      metadata: { bird: 'osprey', status: 'final' },
      upload_id: upload.id,
      chunks: 1,
    });
    expect((await find({ status: 'draft' })).results).toEqual([]);
    const { results } = await find({ status: 'final' });
    expect(results[0]?.document).toMatchObject({ name: 'new-name.txt', metadata: { status: 'final' } });
    // The same file again is a change now: it brings the old name and metadata back.
    const again = await sluice.client.upload('old-name.txt', 'The osprey circles.', {
      external_id: 'osprey',
      metadata: '{"bird":"osprey","status":"draft"}',
    });
    expect(again.unchanged).toBe(false);
    expect((await find({ status: 'draft' })).results).toHaveLength(1);
  });

  test('a change that makes no sense is refused and changes nothing', async () => {
    const { document_id } = await sluice.client.upload('firm.txt', 'It stands firm.', {
      metadata: '{"a":1}',
    });
    for (const body of [
      {},
      { metadata: [] },
      { metadata: 'x' },
      { name: '' },
      { colour: 'red' },
      { name: 'a\0b' },
    ]) {
      const answer = await patch(document_id, body);
      expect([body, answer.status]).toEqual([body, 400]);
      expect((await problemOf(answer)).code).toBe('invalid_request');
    }
    expect(await (await get(`/${document_id}`)).json()).toMatchObject({
      name: 'firm.txt',
      metadata: { a: 1 },
    });
    for (const id of ['nonsense', '00000000-0000-7000-8000-000000000000']) {
      expect((await patch(id, { name: 'x' })).status).toBe(404);
    }
  });
}

describeInModes('documents', ['embedded', 'services'], documentsApi);
