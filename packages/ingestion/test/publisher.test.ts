import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { IngestOutcome } from '../src/index.ts';
import { openWorkshop, textOf } from './support/workshop.ts';

describeWithServices('postgres', 'small documents', () => {
  test('that are ready at the same time are published together', async () => {
    await using workshop = await openWorkshop();
    const uploads = [];
    for (let i = 0; i < 12; i += 1) uploads.push(await workshop.accept(`doc-${i}`, textOf(i)));
    // All their texts go in requests that end at about the same time.
    const outcomes = await Promise.all(uploads.map(({ id }) => workshop.ingest(id)));
    expect(outcomes).toEqual(Array(12).fill('ready'));
    expect(await workshop.chunks()).toHaveLength(12);
    const { rows } = await workshop.pool.query<{ generation: number; transactions: number }>(
      `select (select generation from sluice.collections) as generation,
         (select count(distinct xmin::text) from sluice.chunks_${workshop.collection.id}) as transactions`,
    );
    expect(rows[0]?.transactions).toBe(rows[0]?.generation);
    expect(rows[0]?.generation).toBeLessThan(12);
  });

  test('do not share the fate of one that the database refuses', async () => {
    await using workshop = await openWorkshop();
    await workshop.pool.query(
      `alter table sluice.chunks_${workshop.collection.id} add constraint no_owls check (text not like '%subject owl%')`,
    );
    const subjects = ['ant', 'bee', 'owl', 'cat', 'dog', 'eel'];
    const uploads = [];
    for (const subject of subjects) uploads.push(await workshop.accept(subject, textOf(subject)));
    const outcomes = await Promise.allSettled(uploads.map(({ id }) => workshop.ingest(id)));
    expect(outcomes.map(({ status }) => status)).toEqual(
      subjects.map((subject) => (subject === 'owl' ? 'rejected' : 'fulfilled')),
    );
    expect(await workshop.status(uploads[2]?.id as string)).toMatchObject({
      state: 'failed',
      error: { code: 'rejected_by_database', retryable: false },
    });
    expect(await workshop.chunks()).toHaveLength(5);
  });

  test('of one id that come together are published in their order', async () => {
    await using workshop = await openWorkshop();
    const versions = [];
    for (let i = 0; i < 5; i += 1) versions.push(await workshop.accept('same', textOf('shared', i)));
    // One before which others keep going live goes back in line.
    const ingest = (id: string): Promise<IngestOutcome> =>
      workshop.ingest(id).catch((error) => {
        if (error.code !== 'document_changed') throw error;
        return ingest(id);
      });
    const outcomes = await Promise.all(versions.map(({ id }) => ingest(id)));
    expect(outcomes.at(-1)).toBe('ready');
    expect(new Set(outcomes).isSubsetOf(new Set(['ready', 'superseded']))).toBe(true);
    expect((await workshop.chunks()).map(({ text }) => text)).toEqual([textOf('shared'), textOf(4)]);
  });
});
