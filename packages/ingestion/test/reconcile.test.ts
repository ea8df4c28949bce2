import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createUploadBatch, reconcile } from '../src/index.ts';
import { numbers, openWorkshop, type Workshop } from './support/workshop.ts';

const minute = 60_000;

/** So many uploads that nobody has worked on for a while. */
async function acceptQuiet({ pool, collection }: Workshop, count: number): Promise<string[]> {
  await using batch = createUploadBatch({ db: pool.lane('bulk'), maxBytes: 1_000, requestId: null });
  for (const n of numbers(count)) {
    async function* bytes() {
      yield Buffer.from(`Text ${n}.`);
    }
    await batch.receive({
      collection,
      fileName: 'a.txt',
      mediaType: undefined,
      externalId: `d-${n}`,
      name: undefined,
      metadata: {},
      chunking: undefined,
      priority: 'normal',
      bytes: bytes(),
    });
  }
  const { uploads } = await batch.accept();
  await pool.query(`update sluice.uploads set updated_at = now() - interval '1 hour'`);
  return uploads.map(({ id }) => id);
}

/** What one round asks for and finds, of a queue that has jobs for `known`. */
async function oneRound(workshop: Workshop, known: ReadonlySet<string>) {
  const asked: string[] = [];
  const report = await reconcile({
    db: workshop.pool.lane('control'),
    async enqueue(uploads) {
      asked.push(...uploads.map(({ id }) => id));
      return uploads.filter(({ id }) => !known.has(id)).length;
    },
    intervalMs: minute,
    abandonedAfterMs: minute,
    onError: (error) => {
      throw error;
    },
  });
  return { asked, enqueued: report?.enqueued };
}

describeWithServices('postgres', 'uploads that show no sign of life', () => {
  test('all get a job at once when the queue has lost everything', async () => {
    await using workshop = await openWorkshop();
    const ids = await acceptQuiet(workshop, 2_300);
    const { asked, enqueued } = await oneRound(workshop, new Set());
    expect(enqueued).toBe(2_300);
    expect(asked.sort()).toEqual(ids.sort());
  });

  test('are looked at in parts while they have their jobs', async () => {
    await using workshop = await openWorkshop();
    const ids = await acceptQuiet(workshop, 1_200);
    const { asked, enqueued } = await oneRound(workshop, new Set(ids));
    expect(enqueued).toBe(0);
    expect(asked).toHaveLength(1_000);
  });
});
