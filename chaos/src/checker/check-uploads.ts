import type { Queryable } from '@sluice/pool';
import { brokenCode } from '../corpus/content.ts';
import { counts, expectedLive, type Ledger, type SentDocument, type SentUpload } from '../ledger.ts';
import type { Violation } from './violation.ts';

interface UploadRow extends Record<string, unknown> {
  id: string;
  documentId: string;
  state: string;
  code: string | null;
  attempts: number;
  sizeBytes: number;
  partBytes: number;
}

/** Every accepted upload has one row, final and as it should have ended; there are no others. */
export async function checkUploads(db: Queryable, ledger: Ledger): Promise<Violation[]> {
  const { rows } = await db.query<UploadRow>(
    `select u.id, u.document_id as "documentId", u.state, u.error ->> 'code' as code, u.attempts, u.size_bytes as "sizeBytes",
       (select coalesce(sum(length(bytes)), 0)::bigint from sluice.upload_parts p where p.upload_id = u.id) as "partBytes"
     from sluice.uploads u where state <> 'receiving'`,
  );
  const left = new Map(rows.map((row) => [row.id, row]));
  const violations: Violation[] = [];
  for (const document of ledger.documents) {
    for (const upload of document.uploads) {
      violations.push(...checkUpload(document, upload, left.get(upload.id)));
      left.delete(upload.id);
    }
  }
  const others = [...left.values()].map(({ id, state }): Violation => {
    const kind = ledger.deletedUploads.has(id) ? 'resurrected_upload' : 'unknown_upload';
    return { kind, subject: id, detail: `is ${state}` };
  });
  return [...violations, ...others];
}

function* checkUpload(
  document: SentDocument,
  upload: SentUpload,
  row: UploadRow | undefined,
): Generator<Violation> {
  const subject = `${document.key} ${upload.id}`;
  if (!row) return yield { kind: 'lost_upload', subject, detail: 'no row' };
  const { state, code, attempts } = row;
  const found = `is ${state}${code ? ` (${code})` : ''} after ${attempts} attempts`;
  if (state === 'queued' || state === 'processing')
    return yield { kind: 'unfinished_upload', subject, detail: found };
  const allowed = allowedStates(document, upload);
  if (!allowed.includes(state) || (state === 'failed' && code !== brokenCode))
    yield { kind: 'wrong_state', subject, detail: `${found}, should be ${allowed.join(' or ')}` };
  if (row.documentId !== document.documentId)
    yield {
      kind: 'wrong_state',
      subject,
      detail: `belongs to ${row.documentId}, not to ${document.documentId}`,
    };
  const retryable = state === 'failed' || state === 'cancelled';
  if (retryable && row.partBytes !== row.sizeBytes)
    yield {
      kind: 'wrong_bytes',
      subject,
      detail: `${row.partBytes} of ${row.sizeBytes} bytes, and it is ${state}`,
    };
}

function allowedStates(document: SentDocument, upload: SentUpload): string[] {
  if (upload.cancelled) return ['cancelled'];
  if (!counts(upload)) return ['failed'];
  // An earlier version was live for a while, or the later one was faster.
  return upload === expectedLive(document) ? ['ready'] : ['ready', 'superseded'];
}
