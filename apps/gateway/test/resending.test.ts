import { randomUUID } from 'node:crypto';
import type { UploadBody } from '@sluice/contract';
import { expect, test } from 'vitest';
import { form, problemOf } from './support/client.ts';
import { describeInModes, type SluiceOfSuite } from './support/in-modes.ts';

/** What a client does that has had no answer, and what one does that sends everything every night. */
function resending(sluice: SluiceOfSuite): void {
  async function send(key: string, files: Record<string, string>, fields: Record<string, string> = {}) {
    const answer = await fetch(`${sluice.url}/v1/uploads`, {
      method: 'POST',
      headers: { 'idempotency-key': key },
      body: form(files, fields),
    });
    return { answer, replayed: answer.headers.get('idempotent-replayed') };
  }
  const idsOf = async (answer: Response) =>
    ((await answer.json()) as { uploads: UploadBody[] }).uploads.map(({ id }) => id);
  const count = async (collection: string) =>
    (
      (await (await fetch(`${sluice.url}/v1/uploads?collection=${collection}`)).json()) as {
        uploads: unknown[];
      }
    ).uploads.length;
  async function createCollection(): Promise<string> {
    const name = `c-${randomUUID().slice(0, 8)}`;
    const answer = await fetch(`${sluice.url}/v1/collections`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    expect(answer.status).toBe(201);
    return name;
  }

  test('the same request with the same key brings nothing twice, and is answered with the same uploads', async () => {
    const collection = await createCollection();
    const key = randomUUID();
    const files = { 'a.txt': 'first apple', 'b.txt': 'second pear' };
    const first = await send(key, files, { collection });
    expect([first.answer.status, first.replayed]).toEqual([202, null]);
    const ids = await idsOf(first.answer);
    for (const id of ids) await sluice.client.settled(id);
    const second = await send(key, files, { collection });
    expect([second.answer.status, second.replayed]).toEqual([202, 'true']);
    const { uploads } = (await second.answer.json()) as { uploads: UploadBody[] };
    expect(uploads.map(({ id, state }) => [id, state])).toEqual(ids.map((id) => [id, 'ready']));
    expect(await count(collection)).toBe(2);
  });

  test('twenty of them at the same moment make one upload', async () => {
    const collection = await createCollection();
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => send(key, { 'once.txt': 'Only once.' }, { collection })),
    );
    expect(answers.every(({ answer }) => answer.status === 202)).toBe(true);
    const ids = new Set((await Promise.all(answers.map(({ answer }) => idsOf(answer)))).flat());
    expect([ids.size, await count(collection)]).toEqual([1, 1]);
    expect(answers.filter(({ replayed }) => replayed === null)).toHaveLength(1);
  });

  test.each([
    ['other bytes', { 'a.txt': 'changed' }, {}],
    ['another name', { 'b.txt': 'text' }, {}],
    ['other metadata', { 'a.txt': 'text' }, { metadata: '{"year":2}' }],
    ['one file more', { 'a.txt': 'text', 'b.txt': 'more' }, {}],
  ] as [string, Record<string, string>, Record<string, string>][])(
    'the same key with %s is refused, and nothing of it is kept',
    async (_, files, fields) => {
      const collection = await createCollection();
      const key = randomUUID();
      expect(
        (await send(key, { 'a.txt': 'text' }, { collection, metadata: '{"year":1}' })).answer.status,
      ).toBe(202);
      const { answer } = await send(key, files, { collection, metadata: '{"year":1}', ...fields });
      expect(answer.status).toBe(409);
      expect(await problemOf(answer)).toMatchObject({ code: 'idempotency_key_reused' });
      expect(await count(collection)).toBe(1);
    },
  );

  test('a key that is none is refused with where it stands', async () => {
    const { answer } = await send('ké y', { 'a.txt': 'text' });
    expect(answer.status).toBe(400);
    expect(await problemOf(answer)).toMatchObject({ errors: [{ path: '/Idempotency-Key' }] });
  });

  test('a document that has not changed is ready at once, and stays as it is', async () => {
    const fields = { external_id: 'nightly', metadata: '{"doc":"nightly"}' };
    const text = 'The kingfisher dives.\n\nIt comes up again.';
    const first = await sluice.client.upload('nightly.txt', text, fields);
    expect(first.unchanged).toBe(false);
    const answer = await sluice.client.post(form({ 'nightly.txt': text }, fields));
    const { uploads } = (await answer.json()) as { uploads: [UploadBody] };
    expect(uploads[0]).toMatchObject({
      state: 'ready',
      unchanged: true,
      document_id: first.document_id,
      progress: first.progress,
    });
    const { results } = await sluice.client.query({ query: 'kingfisher', filter: { doc: 'nightly' }, k: 50 });
    expect(results).toHaveLength(first.progress.done);
    const document = await (await fetch(`${sluice.url}/v1/documents/${first.document_id}`)).json();
    expect(document).toMatchObject({ upload_id: uploads[0].id });
  });

  test.each([
    ['text', { text: 'Another sentence.' }],
    ['metadata', { metadata: '{"doc":"changes","year":2}' }],
    ['name', { name: 'renamed.txt' }],
    ['chunking', { chunking: '{"max_tokens":100,"overlap_tokens":0}' }],
  ])('one whose %s has changed is worked on', async (what, { text, ...change }: Record<string, string>) => {
    const fields = { external_id: `changes-${what}`, metadata: '{"doc":"changes"}' };
    const first = await sluice.client.upload('changes.txt', 'A sentence.', fields);
    const second = await sluice.client.upload('changes.txt', text ?? 'A sentence.', { ...fields, ...change });
    expect(second).toMatchObject({ state: 'ready', unchanged: false, document_id: first.document_id });
  });

  test('one that goes back to an older version is worked on while the newer one is under way', async () => {
    const fields = { external_id: 'back', metadata: '{"doc":"back"}' };
    await sluice.client.upload('back.txt', 'The old lighthouse.', fields);
    const answers = [];
    for (const text of ['The new lighthouse.', 'The old lighthouse.']) {
      answers.push(await sluice.client.post(form({ 'back.txt': text }, fields)));
    }
    for (const answer of answers) for (const id of await idsOf(answer)) await sluice.client.settled(id);
    const { results } = await sluice.client.query({ query: 'lighthouse', filter: { doc: 'back' } });
    expect(results.map(({ text }) => text)).toEqual(['The old lighthouse.']);
  });
}

describeInModes('resending', ['embedded', 'postgres-only', 'services'], resending);
