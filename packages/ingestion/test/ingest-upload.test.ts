import { deleteUpload } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { UploadFailed } from '../src/index.ts';
import { numbers, openWorkshop, textOf } from './support/workshop.ts';

describeWithServices('postgres', 'one attempt at an upload', () => {
  test('makes its document searchable with all its chunks, and drops the bytes', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(1, 2, 3), { year: 2025 });
    expect(await workshop.ingest(upload.id)).toBe('ready');
    const chunks = await workshop.chunks();
    expect(chunks).toHaveLength(3);
    expect(chunks.every(({ metadata }) => metadata.year === 2025)).toBe(true);
    expect(JSON.parse(chunks[0]?.embedding as string)).toEqual(
      Array.from(workshop.provider.vectorOf(chunks[0]?.text as string, 8), (value) =>
        expect.closeTo(value, 5),
      ),
    );
    const { rowCount } = await workshop.pool.query('select from sluice.upload_parts');
    expect(rowCount).toBe(0);
    expect(await workshop.status(upload.id)).toMatchObject({ state: 'ready', chunksDone: 3, chunksTotal: 3 });
    expect(await workshop.ingest(upload.id)).toBe('nothing_to_do');
  });

  test.each([{ windowChunks: 1_000 }, { windowChunks: 10 }])(
    'publishes nothing when another one has begun since (windows of $windowChunks)',
    async ({ windowChunks }) => {
      await using workshop = await openWorkshop();
      const upload = await workshop.accept('a', textOf(...numbers(25)));
      workshop.provider.failNext({ kind: 'slow', ms: 1_500 });
      const zombie = workshop.ingest(upload.id, { windowChunks });
      await expect.poll(() => workshop.provider.requests.length, { timeout: 10_000 }).toBe(1);
      expect(await workshop.ingest(upload.id, { windowChunks })).toBe('ready');
      const published = await workshop.chunks();
      expect(published).toHaveLength(25);
      expect(await zombie).toBe('lost');
      expect(await workshop.chunks()).toEqual(published);
      expect(await workshop.status(upload.id)).toMatchObject({ state: 'ready', attempts: 2, error: null });
    },
  );

  test('of an upload that is deleted meanwhile leaves nothing', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(1));
    workshop.provider.failNext({ kind: 'slow', ms: 500 });
    const attempt = workshop.ingest(upload.id);
    await expect.poll(() => workshop.provider.requests.length, { timeout: 10_000 }).toBe(1);
    await workshop.pool
      .lane('interactive')
      .transaction((transaction) => deleteUpload(transaction, upload.id));
    expect(await attempt).toBe('lost');
    expect(await workshop.chunks()).toEqual([]);
    expect((await workshop.pool.query('select from sluice.documents')).rowCount).toBe(0);
  });

  test('larger than a window is staged, and published complete and in order', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(...numbers(37)));
    expect(await workshop.ingest(upload.id, { windowChunks: 10 })).toBe('ready');
    const chunks = await workshop.chunks();
    expect(chunks.map(({ ordinal }) => ordinal)).toEqual(numbers(37));
    for (const [i, { text }] of chunks.entries()) expect(text).toContain(`subject ${i} `);
    expect(await workshop.stagedCount()).toBe(0);
  });

  test('that is interrupted goes back in line without counting as an attempt', async () => {
    await using workshop = await openWorkshop();
    const upload = await workshop.accept('a', textOf(...numbers(30)));
    workshop.provider.failWhen(() => ({ kind: 'slow', ms: 1_000 }));
    const stop = new AbortController();
    const attempt = workshop.ingest(upload.id, { windowChunks: 10, signal: stop.signal });
    await expect.poll(() => workshop.provider.requests.length, { timeout: 10_000 }).toBe(2);
    stop.abort(new Error('the worker stops'));
    await expect(attempt).rejects.toThrow('the worker stops');
    expect(await workshop.status(upload.id)).toMatchObject({ state: 'queued', attempts: 0, error: null });
    expect(await workshop.chunks()).toEqual([]);
    workshop.provider.failWhen(() => undefined);
    expect(await workshop.ingest(upload.id, { windowChunks: 10 })).toBe('ready');
    expect(await workshop.chunks()).toHaveLength(30);
    expect(await workshop.stagedCount()).toBe(0);
  });

  test('that meets a provider that is left alone is put off, also as the last one, and reads no file for it', async () => {
    await using workshop = await openWorkshop();
    const { id } = await workshop.accept('a', textOf(1));
    let round = 0;
    workshop.provider.failWhen(() => {
      round += 1;
      // So that it is left alone for longer than this takes.
      return { kind: 'status', status: 503, ...(round === 4 && { retryAfter: '30' }) };
    });
    const last = { lastAttempt: true, mayPutOff: true };
    const putOff = { retryable: true, retryAfterMs: expect.any(Number) };
    await expect(workshop.ingest(id, last)).rejects.toMatchObject(putOff);
    const asked = workshop.provider.requests.length;
    const waiting = {
      state: 'queued',
      attempts: 1,
      error: { code: 'provider_unavailable', retryable: true },
    };
    expect(await workshop.status(id)).toMatchObject({ ...waiting, error: { stage: 'embedding' } });
    for (let i = 0; i < 3; i += 1) {
      await expect(workshop.ingest(id, last)).rejects.toMatchObject(putOff);
      expect(await workshop.status(id)).toMatchObject({ ...waiting, error: { stage: 'extracting' } });
    }
    expect(workshop.provider.requests).toHaveLength(asked);
    // What cannot be put off any more counts.
    await expect(workshop.ingest(id, { lastAttempt: true })).rejects.toMatchObject({ retryable: true });
    expect(await workshop.status(id)).toMatchObject({ state: 'failed', attempts: 2 });
  });

  test('that needs no vector makes its document ready although the provider is left alone', async () => {
    await using workshop = await openWorkshop();
    const first = await workshop.accept('a', textOf(1));
    expect(await workshop.ingest(first.id)).toBe('ready');
    workshop.provider.failWhen(() => ({ kind: 'status', status: 503 }));
    const other = await workshop.accept('b', textOf(2));
    await expect(workshop.ingest(other.id)).rejects.toBeInstanceOf(UploadFailed);
    const again = await workshop.accept('a', textOf(1), { year: 2026 });
    expect(await workshop.ingest(again.id)).toBe('ready');
  });

  test('that fails of a transient cause waits for another one, and fails for good if it was the last', async () => {
    await using workshop = await openWorkshop();
    const { id } = await workshop.accept('a', textOf(1));
    workshop.provider.failWhen(() => ({ kind: 'status', status: 503 }));
    await expect(workshop.ingest(id)).rejects.toBeInstanceOf(UploadFailed);
    expect(await workshop.status(id)).toMatchObject({
      state: 'queued',
      attempts: 1,
      error: { stage: 'embedding', retryable: true },
    });
    await expect(workshop.ingest(id, { lastAttempt: true })).rejects.toMatchObject({ retryable: true });
    expect(await workshop.status(id)).toMatchObject({ state: 'failed', attempts: 2 });
    expect(await workshop.ingest(id)).toBe('nothing_to_do');
  });
});
