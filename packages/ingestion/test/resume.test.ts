import { claimUpload, stageChunks } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { numbers, openWorkshop, textOf, type Workshop } from './support/workshop.ts';

const windowChunks = 10;

/** An attempt at a document of 60 chunks that ends when the fourth window is being embedded, maybe together with the third. */
async function interrupt(workshop: Workshop, id: string): Promise<string[]> {
  workshop.provider.failWhen((texts) =>
    texts.some((text) => text.includes('subject 35 ')) ? { kind: 'slow', ms: 60_000 } : undefined,
  );
  const stop = new AbortController();
  const attempt = workshop.ingest(id, { windowChunks, signal: stop.signal });
  await expect.poll(() => workshop.stagedCount(), { timeout: 25_000 }).toBeGreaterThanOrEqual(20);
  stop.abort(new Error('the worker stops'));
  await expect(attempt).rejects.toThrow('the worker stops');
  workshop.provider.failWhen(() => undefined);
  const { rows } = await workshop.pool.query<{ text: string }>('select text from sluice.staged_chunks');
  return rows.map(({ text }) => text);
}

function embedded(workshop: Workshop, since: number): string[] {
  return workshop.provider.requests.slice(since).flatMap(({ texts }) => texts);
}

describeWithServices('postgres', 'a large document', () => {
  test('goes on where the attempt before stopped: what is staged is not embedded again', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(...numbers(60)));
    const staged = await interrupt(workshop, upload.id);
    const since = workshop.provider.requests.length;
    expect(await workshop.ingest(upload.id, { windowChunks })).toBe('ready');
    const again = embedded(workshop, since);
    expect(again.filter((text) => staged.includes(text))).toEqual([]);
    expect(again).toHaveLength(60 - staged.length);
    expect((await workshop.chunks()).map(({ ordinal }) => ordinal)).toEqual(numbers(60));
    expect(await workshop.stagedCount()).toBe(0);
  });

  test('takes nothing of an attempt that saw another text', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(...numbers(60)));
    await interrupt(workshop, upload.id);
    // As an earlier release might have cut it.
    await workshop.pool.query(
      `update sluice.staged_chunks set chunk_id = gen_random_uuid(), text = 'of an earlier release' where ordinal < 5`,
    );
    await workshop.pool.query(
      `insert into sluice.staged_chunks select upload_id, 900, gen_random_uuid(), 'beyond the end', tokens, page,
         heading_path, char_start, char_end, embedding from sluice.staged_chunks where ordinal = 7`,
    );
    expect(await workshop.ingest(upload.id, { windowChunks })).toBe('ready');
    const chunks = await workshop.chunks();
    expect(chunks.map(({ ordinal }) => ordinal)).toEqual(numbers(60));
    for (const [i, { text }] of chunks.entries()) expect(text).toContain(`subject ${i} `);
    expect(await workshop.stagedCount()).toBe(0);
  });

  test('begins again when what was staged is lost in a crash of the server', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(...numbers(60)));
    let lost = 0;
    workshop.provider.failWhen((texts) =>
      texts.some((text) => text.includes('subject 55 ')) && lost === 0
        ? { kind: 'slow', ms: 500 }
        : undefined,
    );
    const attempt = workshop.ingest(upload.id, { windowChunks });
    await expect.poll(() => workshop.stagedCount(), { timeout: 25_000 }).toBeGreaterThanOrEqual(30);
    // What a crash does to an unlogged table.
    lost = await workshop.stagedCount();
    await workshop.pool.query('truncate sluice.staged_chunks');
    expect(await attempt).toBe('ready');
    expect(await workshop.status(upload.id)).toMatchObject({ attempts: 1, chunksDone: 60 });
    expect((await workshop.chunks()).map(({ ordinal }) => ordinal)).toEqual(numbers(60));
  });

  test('is not staged by an attempt that has lost its upload', async () => {
    await using workshop = await openWorkshop();
    const { id } = await workshop.accept('a', textOf(1));
    const zombie = await claimUpload(workshop.pool, id);
    await claimUpload(workshop.pool, id);
    const held = await workshop.pool
      .lane('bulk')
      .transaction((transaction) => stageChunks(transaction, id, zombie?.fence ?? 0, []));
    expect(held).toBe(false);
  });

  test('counts as dying of its file only while it gets nowhere', async () => {
    await using workshop = await openWorkshop();
    const large = await workshop.accept('large', textOf(...numbers(60)));
    const deadly = await workshop.accept('deadly', textOf(1));
    for (let i = 0; i < 20; i += 1) {
      await claimUpload(workshop.pool, deadly.id);
      const claim = await claimUpload(workshop.pool, large.id);
      await workshop.pool
        .lane('bulk')
        .transaction((transaction) => stageChunks(transaction, large.id, claim?.fence ?? 0, []));
    }
    await expect(workshop.ingest(deadly.id)).rejects.toMatchObject({ code: 'too_many_attempts' });
    expect(await workshop.ingest(large.id, { windowChunks })).toBe('ready');
  });

  test('is put off between attempts once three workers have died with it, and then goes on', async () => {
    await using workshop = await openWorkshop();
    const { id } = await workshop.accept('a', textOf(...numbers(20)));
    const die = () => claimUpload(workshop.pool, id);
    const attempt = () => workshop.ingest(id, { windowChunks, mayPutOff: true });
    for (let i = 0; i < 3; i += 1) await die();
    for (let round = 0; round < 2; round += 1) {
      await expect(attempt()).rejects.toMatchObject({ code: 'worker_lost', retryAfterMs: 5_000 });
      expect(await workshop.status(id)).toMatchObject({
        state: 'queued',
        error: { code: 'worker_lost', retryable: true },
      });
      // The attempt after the pause is one that counts, and may die as well.
      await die();
    }
    await expect(attempt()).rejects.toMatchObject({ code: 'worker_lost' });
    expect(await attempt()).toBe('ready');
  });

  test('that kills every worker is given up, however often it was put off', async () => {
    await using workshop = await openWorkshop();
    const { id } = await workshop.accept('a', textOf(1));
    const attempt = () => workshop.ingest(id, { mayPutOff: true });
    for (let i = 0; i < 3; i += 1) await claimUpload(workshop.pool, id);
    for (let i = 3; i < 20; i += 1) {
      await expect(attempt()).rejects.toMatchObject({ code: 'worker_lost' });
      await claimUpload(workshop.pool, id);
    }
    await expect(attempt()).rejects.toMatchObject({ code: 'too_many_attempts', retryable: false });
  });

  test.each([windowChunks, 1_000])('tells how long each stage took (windows of %d)', async (windowChunks) => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(...numbers(30)));
    workshop.provider.failNext({ kind: 'slow', ms: 120 });
    await workshop.ingest(upload.id, { windowChunks });
    const { stageMs } = await workshop.status(upload.id);
    expect(stageMs?.embedding).toBeGreaterThanOrEqual(100);
    expect(Object.keys(stageMs ?? {}).sort()).toEqual(['embedding', 'extracting', 'publishing']);
  });
});
