import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { numbers, openWorkshop, textOf } from './support/workshop.ts';

const windows = [{ windowChunks: 1_000 }, { windowChunks: 10 }];

describeWithServices('postgres', 'versions of a document', () => {
  test.each(windows)(
    'content that is known is not embedded again (windows of $windowChunks)',
    async ({ windowChunks }) => {
      await using workshop = await openWorkshop();
      const first = await workshop.accept('a', textOf(...numbers(25)), { year: 1 });
      await workshop.ingest(first.id, { windowChunks });
      const before = await workshop.chunks();
      const requests = workshop.provider.requests.length;

      const second = await workshop.accept('a', textOf(...numbers(25)), { year: 2 });
      expect(await workshop.ingest(second.id, { windowChunks })).toBe('ready');
      expect(workshop.provider.requests).toHaveLength(requests);
      const after = await workshop.chunks();
      expect(after.map(({ metadata }) => metadata.year)).toEqual(Array(25).fill(2));
      expect(after.map(({ metadata: _, ...chunk }) => chunk)).toEqual(
        before.map(({ metadata: _, ...chunk }) => chunk),
      );
    },
  );

  test('only what changed is embedded, what moved gets its new place, what is gone goes (langchain-ai/langchain#35631)', async () => {
    await using workshop = await openWorkshop();
    const first = await workshop.accept('a', textOf('ant', 'bee', 'cat', 'dog'));
    await workshop.ingest(first.id);
    const requests = workshop.provider.requests.length;
    const second = await workshop.accept('a', textOf('dog', 'bee', 'eel'));
    await workshop.ingest(second.id);
    const embedded = workshop.provider.requests.slice(requests).flatMap(({ texts }) => texts);
    expect(embedded).toEqual([expect.stringContaining('subject eel')]);
    const subjects = (await workshop.chunks()).map(({ text }) => /subject (\w+)/.exec(text)?.[1]);
    expect(subjects).toEqual(['dog', 'bee', 'eel']);
  });

  test('a paragraph that stands twice in a document is two chunks, before and after a new version', async () => {
    await using workshop = await openWorkshop();
    const first = await workshop.accept('a', textOf('ant', 'bee', 'ant'));
    await workshop.ingest(first.id);
    expect(await workshop.chunks()).toHaveLength(3);
    const second = await workshop.accept('a', textOf('ant', 'ant', 'ant', 'bee'));
    await workshop.ingest(second.id);
    const chunks = await workshop.chunks();
    expect(chunks.map(({ text }) => /subject (\w+)/.exec(text)?.[1])).toEqual(['ant', 'ant', 'ant', 'bee']);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(4);
  });

  test('the later of two uploads wins, in whichever order they come to their end', async () => {
    await using workshop = await openWorkshop();
    const older = await workshop.accept('a', textOf('old'));
    const newer = await workshop.accept('a', textOf('new'));
    expect(newer.documentId).toBe(older.documentId);
    expect(await workshop.ingest(newer.id)).toBe('ready');
    expect(await workshop.ingest(older.id)).toBe('superseded');
    expect(await workshop.status(older.id)).toMatchObject({ state: 'superseded', error: null });
    expect((await workshop.chunks()).map(({ text }) => text)).toEqual([textOf('new')]);
    expect((await workshop.pool.query('select from sluice.upload_parts')).rowCount).toBe(0);
  });

  test('a version that was built on another one than is live begins again by itself', async () => {
    await using workshop = await openWorkshop();
    const older = await workshop.accept('a', textOf('shared', 'old'));
    const newer = await workshop.accept('a', textOf('shared', 'new'));
    workshop.provider.failNext({ kind: 'slow', ms: 800 });
    const overtaken = workshop.ingest(newer.id);
    await expect.poll(() => workshop.provider.requests.length, { timeout: 10_000 }).toBe(1);
    expect(await workshop.ingest(older.id)).toBe('ready');
    expect(await overtaken).toBe('ready');
    expect(await workshop.status(newer.id)).toMatchObject({ attempts: 1, error: null });
    expect((await workshop.chunks()).map(({ text }) => text)).toEqual([textOf('shared'), textOf('new')]);
  });

  test('a version that fails leaves the live one as it is (run-llama/llama_index#22816)', async () => {
    await using workshop = await openWorkshop();
    const good = await workshop.accept('a', textOf(1));
    await workshop.ingest(good.id);
    const before = await workshop.chunks();
    const bad = await workshop.accept('a', ' \n ');
    await expect(workshop.ingest(bad.id)).rejects.toMatchObject({ code: 'no_text', retryable: false });
    expect(await workshop.chunks()).toEqual(before);
  });
});
