import { isDeepStrictEqual } from 'node:util';
import type { Queryable } from '@sluice/pool';
import { expectedLive, expectedMetadata, type Ledger, type SentDocument } from '../ledger.ts';
import type { Violation } from './violation.ts';

interface DocumentRow extends Record<string, unknown> {
  id: string;
  collection: string;
  key: string;
  liveUploadId: string | null;
  metadata: Record<string, unknown>;
}

/** The last version that counts is the live one of each document, and there are no other documents. */
export async function checkDocuments(db: Queryable, ledger: Ledger): Promise<Violation[]> {
  const { rows } = await db.query<DocumentRow>(
    `select d.id, c.name as collection, d.external_id as key, d.live_upload_id as "liveUploadId", d.metadata
     from sluice.documents d join sluice.collections c on c.id = d.collection_id`,
  );
  const left = new Map(rows.map((row) => [row.id, row]));
  const violations: Violation[] = [];
  for (const document of ledger.documents) {
    if (document.documentId === undefined) continue;
    violations.push(...checkDocument(document, left.get(document.documentId)));
    left.delete(document.documentId);
  }
  const others = [...left.values()].map(({ id, key }): Violation => {
    const kind = ledger.deletedDocuments.has(id) ? 'resurrected_document' : 'unknown_document';
    return { kind, subject: key, detail: `there is ${id}` };
  });
  return [...violations, ...others];
}

function* checkDocument(document: SentDocument, row: DocumentRow | undefined): Generator<Violation> {
  const { key: subject, collection, documentId } = document;
  const live = expectedLive(document);
  if (!row) return yield { kind: 'lost_document', subject, detail: `no row ${documentId}` };
  if (row.key !== document.key || row.collection !== collection)
    yield { kind: 'unknown_document', subject, detail: `is ${row.key} in ${row.collection}` };
  if (row.liveUploadId === (live?.id ?? null)) {
    const metadata = live && expectedMetadata(document, live);
    if (metadata && !isDeepStrictEqual(row.metadata, metadata))
      yield {
        kind: 'wrong_metadata',
        subject,
        detail: `${JSON.stringify(row.metadata)}, not ${JSON.stringify(metadata)}`,
      };
    return;
  }
  const kind = row.liveUploadId === null ? 'lost_document' : 'wrong_version';
  yield { kind, subject, detail: `live is ${row.liveUploadId}, should be ${live?.id ?? 'none'}` };
}
