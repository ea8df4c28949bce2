import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerBody } from '@sluice/contract';
import { ingestUploadJob, type Producer } from '@sluice/queue';
import { expectedLive, expectedMetadata, type Ledger } from '../ledger.ts';
import type { Client } from '../traffic/client.ts';
import type { Violation } from './violation.ts';

/** No job waits, runs or is put off, within `timeoutMs`: one that has just ended may need a moment to be taken off the list. */
export async function checkQueue(producer: Producer, timeoutMs: number): Promise<Violation[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { waiting, active, delayed } = await producer.counts(ingestUploadJob);
    if (waiting + active + delayed === 0) return [];
    const detail = `${waiting} waiting, ${active} active, ${delayed} delayed`;
    if (Date.now() > deadline) return [{ kind: 'queue_not_empty', subject: ingestUploadJob.name, detail }];
    await sleep(250);
  }
}

/** Each live document is found over HTTP by its metadata, and none that was deleted. */
export async function checkSearch(client: Pick<Client, 'ask'>, ledger: Ledger): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const document of ledger.documents) {
    const { key, collection, documentId } = document;
    const live = expectedLive(document);
    const filter = live ? expectedMetadata(document, live) : { doc: key };
    const { status, body } = await client.ask({
      method: 'POST',
      path: '/v1/query',
      headers: { 'content-type': 'application/json' },
      body: () => JSON.stringify({ query: `${key} stands by the`, k: 3, collection, filter }),
    });
    const hits = status === 200 ? (body as AnswerBody).results.map((hit) => hit.document.id) : [];
    const right = live
      ? hits.length > 0 && hits.every((id) => id === documentId)
      : status === 200 && hits.length === 0;
    if (!right)
      violations.push({
        kind: live ? 'not_found' : 'resurrected_document',
        subject: key,
        detail: `status ${status}, hits ${hits.join(' ')}`,
      });
  }
  return violations;
}
