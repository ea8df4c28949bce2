import { ingestUploadJob } from '@sluice/queue';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkQueue, checkSearch } from '../src/checker/check-outside.ts';
import { checkTables } from '../src/checker/check-tables.ts';
import { createReference, type Reference } from '../src/checker/reference.ts';
import type { ViolationKind } from '../src/checker/violation.ts';
import { expectedLive, forgetDocument, type SentDocument } from '../src/ledger.ts';
import { describeOutcome } from '../src/report.ts';
import { type ChaosOutcome, runChaos } from '../src/run-chaos.ts';
import { type Services, startServices } from '../src/services.ts';
import { type Corruption, corruptions } from './support/corruptions.ts';

const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1e9));

describeWithServices(['postgres', 'redis', 'processes'], `chaos with CHAOS_SEED=${seed}`, () => {
  let services: Services;
  let outcome: ChaosOutcome;
  let reference: Reference;

  beforeAll(async () => {
    process.stderr.write(`chaos: CHAOS_SEED=${seed}\n`);
    services = await startServices('services', seed);
    outcome = await runChaos(services, {
      seed,
      kills: 25,
      documents: 40,
      largeSentences: 300,
      workers: 2,
      lifeMs: 2_500,
      // The kills matter, not their number: a busy machine has fewer of them in the same time.
      longestKillingMs: 45_000,
      logs: undefined,
      signal: new AbortController().signal,
      onProgress() {},
    });
    process.stderr.write(`${describeOutcome(outcome)}\n`);
    reference = await createReference(services);
  }, 300_000);
  afterAll(async () => {
    await reference?.[Symbol.asyncDispose]();
    await services?.[Symbol.asyncDispose]();
  });

  test('loses no upload, doubles no chunk and leaves no orphan, whatever was killed', () => {
    expect(outcome.violations).toEqual([]);
    expect(outcome.kills).toBeGreaterThan(0);
    expect([...outcome.faults.keys()].sort()).toEqual([
      'gateway kill',
      'postgres kill',
      'postgres restart',
      'redis flush',
      'redis restart',
    ]);
  });

  /** Of text, with chunks enough to lose one. */
  function victim(): SentDocument {
    const found = outcome.ledger.documents.find((document) => {
      const content = expectedLive(document)?.content;
      return (
        document.collection === 'plain' && content?.kind === 'written' && content.paragraphs.length >= 12
      );
    });
    return found ?? expect.fail('no such document is live');
  }

  /** Kinds that the checker reports of tables that were changed, in a transaction that is taken back. */
  async function kindsAfter({ sql, relaxed }: Corruption): Promise<Set<ViolationKind>> {
    const { documentId, ...document } = victim();
    const ids = { document: documentId as string, upload: expectedLive({ documentId, ...document })?.id };
    const takenBack = new Error('taken back');
    let kinds = new Set<ViolationKind>();
    const changed = services.pool.lane('bulk').transaction(async (transaction) => {
      if (relaxed) await transaction.query('set local session_replication_role = replica');
      const text = sql.replaceAll(
        /:(document|upload)\b/g,
        (_, name: 'document' | 'upload') => `'${ids[name]}'`,
      );
      const { rowCount } = await transaction.query(text);
      expect(rowCount).toBeGreaterThan(0);
      const found = await checkTables(transaction, outcome.ledger, services.collections, reference);
      kinds = new Set(found.map(({ kind }) => kind));
      throw takenBack;
    });
    await changed.catch((error) => {
      if (error !== takenBack) throw error;
    });
    return kinds;
  }

  describe('the checker', () => {
    test.each(corruptions)('reports $title', { timeout: 60_000 }, async (corruption) => {
      expect([...(await kindsAfter(corruption))].sort()).toEqual([...corruption.reported].sort());
    });

    test('reports a document that was deleted and is there', { timeout: 60_000 }, async () => {
      const ledger = structuredClone(outcome.ledger);
      const document = ledger.documents[outcome.ledger.documents.indexOf(victim())] as SentDocument;
      forgetDocument(ledger, document);
      const found = await checkTables(services.pool.lane('bulk'), ledger, services.collections, reference);
      expect(new Set(found.map(({ kind }) => kind))).toEqual(
        new Set(['resurrected_document', 'resurrected_upload']),
      );
    });

    test('reports a job that is left', async () => {
      const jobId = crypto.randomUUID();
      await services.producer.enqueue(ingestUploadJob, { uploadId: jobId }, { jobId });
      expect(await checkQueue(services.producer, 0)).toMatchObject([{ kind: 'queue_not_empty' }]);
      await services.producer.remove(ingestUploadJob, jobId);
      expect(await checkQueue(services.producer, 0)).toEqual([]);
    });

    test('reports a document that a search does not find, or finds although it was deleted', async () => {
      const live = victim();
      const found = (id: string | undefined) => ({
        ask: async () => ({
          status: 200,
          unanswered: 0,
          body: { results: id ? [{ document: { id } }] : [] },
        }),
      });
      const ledger = { ...outcome.ledger, documents: [live] };
      expect(await checkSearch(found(live.documentId), ledger)).toEqual([]);
      expect(await checkSearch(found(undefined), ledger)).toMatchObject([{ kind: 'not_found' }]);
      const gone = { ...live, uploads: [], documentId: undefined };
      expect(await checkSearch(found(live.documentId), { ...ledger, documents: [gone] })).toMatchObject([
        { kind: 'resurrected_document' },
      ]);
    });
  });
});
