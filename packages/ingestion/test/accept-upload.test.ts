import { randomBytes } from 'node:crypto';
import type { Lane, Queryable } from '@sluice/pool';
import { deleteCollection, findUploads, type Upload } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createUploadBatch, type IncomingFile, type UploadBatch } from '../src/index.ts';
import { numbers, openWorkshop, textOf, type Workshop } from './support/workshop.ts';

type Simple = {
  externalId?: string;
  content: string | Buffer;
  name?: string;
  metadata?: Record<string, unknown>;
};

function fileOf(
  { collection }: Workshop,
  { externalId, content, name, metadata = {} }: Simple,
): IncomingFile {
  async function* bytes() {
    yield Buffer.from(content as string);
  }
  return {
    collection,
    fileName: name ?? `${externalId ?? 'file'}.txt`,
    mediaType: undefined,
    externalId,
    name: undefined,
    metadata,
    chunking: undefined,
    priority: 'normal',
    bytes: bytes(),
  };
}

function openBatch(db: Lane): UploadBatch {
  return createUploadBatch({ db, maxBytes: 10_000_000, requestId: 'request' });
}

async function accept(
  workshop: Workshop,
  files: Simple[],
  db = workshop.pool.lane('bulk'),
): Promise<Upload[]> {
  await using batch = openBatch(db);
  for (const file of files) await batch.receive(fileOf(workshop, file));
  return (await batch.accept()).uploads;
}

/** Counts what goes to the database through a lane, inside of transactions too. */
function counted(lane: Lane): { lane: Lane; statements: () => number } {
  let statements = 0;
  const watch = <T extends Queryable>(target: T): T =>
    new Proxy(target, {
      get(of, key) {
        const value = Reflect.get(of, key);
        if (typeof value !== 'function') return value;
        if (key === 'query') statements += 1;
        if (key === 'transaction') {
          return (work: (inner: Queryable) => unknown, ...rest: unknown[]) =>
            value.call(of, (inner: Queryable) => work(watch(inner)), ...rest);
        }
        return value.bind(of);
      },
    });
  return { lane: watch(lane), statements: () => statements };
}

async function rowsOf({ pool }: Workshop): Promise<unknown> {
  const { rows } = await pool.query(
    `select (select count(*) from sluice.uploads) as uploads, (select count(*) from sluice.upload_parts) as parts,
       (select count(*) from sluice.documents) as documents`,
  );
  return rows[0];
}

describeWithServices('postgres', 'a request with many files', () => {
  test('brings 2 000 small ones in a few statements, in their order and with their bytes', async () => {
    await using workshop = await openWorkshop();
    const { lane, statements } = counted(workshop.pool.lane('bulk'));
    const files = numbers(2_000).map((n) => ({
      externalId: `"d\\${n}`,
      content: `Text {${n}}, "quoted" \\ and, NULL`,
      metadata: { n, quoted: '"a\\b"', list: [null, '{}'] },
    }));
    const uploads = await accept(workshop, files, lane);
    expect(statements()).toBeLessThan(12);
    expect(uploads.map(({ externalId, metadata }) => ({ externalId, metadata }))).toEqual(
      files.map(({ externalId, metadata }) => ({ externalId, metadata })),
    );
    expect(new Set(uploads.map(({ state, requestId }) => `${state} ${requestId}`))).toEqual(
      new Set(['queued request']),
    );
    const { rows } = await workshop.pool.query<{ text: string; part: number }>(
      `select part, convert_from(bytes, 'utf8') as text from sluice.upload_parts p
       join sluice.uploads u on u.id = p.upload_id order by u.sequence`,
    );
    expect(rows).toEqual(files.map(({ content }) => ({ part: 0, text: content })));
  });

  test('keeps the order of small and large ones, and every byte', async () => {
    await using workshop = await openWorkshop();
    const mebibyte = 1_048_576;
    const sizes = [10, mebibyte, 20, mebibyte - 1, 30, 2 * mebibyte + 5, 40];
    const contents = sizes.map((size) => Buffer.from(randomBytes(size).toString('hex').slice(0, size)));
    const uploads = await accept(
      workshop,
      contents.map((content) => ({ content })),
    );
    expect(uploads.map(({ sizeBytes }) => sizeBytes)).toEqual(sizes);
    for (const [index, { id }] of uploads.entries()) {
      const { rows } = await workshop.pool.query<{ bytes: Buffer }>(
        `select string_agg(bytes, ''::bytea order by part) as bytes from sluice.upload_parts where upload_id = $1::uuid`,
        [id],
      );
      expect(rows[0]?.bytes.equals(contents[index] as Buffer)).toBe(true);
    }
  });

  test('leaves nothing when the last of 2 000 is refused', async () => {
    await using workshop = await openWorkshop();
    const files = numbers(1_999).map((n) => ({ content: `Text ${n}` }));
    const refused = { content: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), name: 'a.png' };
    await expect(accept(workshop, [...files, refused])).rejects.toThrow(/PNG|image|format/i);
    expect(await rowsOf(workshop)).toEqual({ uploads: 0, parts: 0, documents: 0 });
  });

  test('leaves nothing when the transaction that accepts it fails', async () => {
    await using workshop = await openWorkshop();
    await workshop.pool.query(
      `create function fail() returns trigger language plpgsql as $$ begin raise exception 'no more'; end $$`,
    );
    await workshop.pool.query(
      `create trigger fail before insert on sluice.documents for each row
       when (new.external_id = 'd-1500') execute function fail()`,
    );
    const files = numbers(2_000).map((n) => ({ externalId: `d-${n}`, content: `Text ${n}` }));
    await expect(accept(workshop, files)).rejects.toThrow('no more');
    expect(await rowsOf(workshop)).toEqual({ uploads: 0, parts: 0, documents: 0 });
  });

  test('two of them for the same documents in opposite order do not deadlock', async () => {
    await using workshop = await openWorkshop();
    const { lane, statements } = counted(workshop.pool.lane('bulk'));
    const files = numbers(300).map((n) => ({ externalId: `d-${n}`, content: `Text ${n}` }));
    const requests = numbers(8).map((n) => accept(workshop, n % 2 ? files : files.toReversed(), lane));
    const accepted = (await Promise.all(requests)).flat();
    expect(accepted).toHaveLength(2_400);
    expect(new Set(accepted.map(({ documentId }) => documentId)).size).toBe(300);
    // Another attempt at a transaction after a deadlock would show.
    expect(statements()).toBe(8 * 6);
  });
});

describeWithServices('postgres', 'several versions of a document in one request', () => {
  test('the later one wins, and the document is made once', async () => {
    await using workshop = await openWorkshop();
    const [older, newer] = await accept(workshop, [
      { externalId: 'a', content: textOf('old') },
      { externalId: 'a', content: textOf('new') },
    ]);
    expect(newer?.documentId).toBe(older?.documentId);
    expect(await workshop.ingest(newer?.id as string)).toBe('ready');
    expect(await workshop.ingest(older?.id as string)).toBe('superseded');
  });

  test('those that are as the live version end at once, up to the first that is not', async () => {
    await using workshop = await openWorkshop();
    const [first] = await accept(workshop, [{ externalId: 'a', content: 'same' }]);
    await workshop.ingest(first?.id as string);
    const uploads = await accept(workshop, [
      { externalId: 'a', content: 'same' },
      { externalId: 'a', content: 'same' },
      { externalId: 'a', content: 'other' },
      { externalId: 'a', content: 'same' },
    ]);
    expect(uploads.map(({ state, unchanged }) => [state, unchanged])).toEqual([
      ['ready', true],
      ['ready', true],
      ['queued', false],
      ['queued', false],
    ]);
    const { rows } = await workshop.pool.query('select live_upload_id as live from sluice.documents');
    expect(rows).toEqual([{ live: uploads[1]?.id }]);
  });

  test('random requests end as the same files do that come one request each', async () => {
    const seed = Date.now() % 100_000;
    let state = seed;
    // mulberry32
    const random = (below: number) => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % below;
    };
    await using together = await openWorkshop();
    await using apart = await openWorkshop();
    const live = ['a', 'b', 'c'].map((externalId) => ({ externalId, content: 'version 0' }));
    for (const workshop of [together, apart]) {
      for (const { id } of await accept(workshop, live)) await workshop.ingest(id);
    }
    const outcome = (uploads: Upload[]) =>
      uploads.map(({ externalId, state: end, unchanged }) => `${externalId} ${end} ${unchanged}`);
    for (let round = 0; round < 20; round += 1) {
      const files = numbers(1 + random(6)).map(() => ({
        externalId: 'abcd'[random(4)] as string,
        content: `version ${random(3) === 0 ? 1 : 0}`,
        metadata: random(6) === 0 ? { other: true } : {},
      }));
      const one = await accept(together, files);
      const many: Upload[] = [];
      for (const file of files) many.push(...(await accept(apart, [file])));
      expect(outcome(one), `seed ${seed}, round ${round}`).toEqual(outcome(many));
      // Most rounds shall find nothing under way.
      for (const [workshop, uploads] of [[together, one] as const, [apart, many] as const]) {
        for (const { id, state: end } of uploads) if (end === 'queued') await workshop.ingest(id);
      }
      const ends = [together, apart].map(async (workshop) => {
        const uploads = workshop === together ? one : many;
        return outcome(
          await findUploads(
            workshop.pool,
            uploads.map(({ id }) => id),
          ),
        );
      });
      const [a, b] = await Promise.all(ends);
      expect(a?.sort(), `seed ${seed}, round ${round}`).toEqual(b?.sort());
    }
  });

  test('is refused when its collection is deleted while it arrives, whatever has arrived by then', async () => {
    await using workshop = await openWorkshop();
    const remove = () =>
      workshop.pool
        .lane('control')
        .transaction((transaction) => deleteCollection(transaction, workshop.collection.id));
    const gone = { code: 'collection_gone' };
    const large = randomBytes(3_000_000).toString('hex');
    await using before = openBatch(workshop.pool.lane('bulk'));
    await before.receive(fileOf(workshop, { content: 'small' }));
    await before.receive(fileOf(workshop, { content: large }));
    await remove();
    await expect(before.accept()).rejects.toMatchObject(gone);
    await using after = openBatch(workshop.pool.lane('bulk'));
    await expect(after.receive(fileOf(workshop, { content: large }))).rejects.toMatchObject(gone);
    await using small = openBatch(workshop.pool.lane('bulk'));
    await small.receive(fileOf(workshop, { content: 'small' }));
    await expect(small.accept()).rejects.toMatchObject(gone);
  });
});
