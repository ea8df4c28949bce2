import type { Queryable } from '@sluice/pool';
import type { Collection } from '@sluice/store';
import type { Ledger } from '../ledger.ts';
import type { Violation, ViolationKind } from './violation.ts';

// Idempotency keys name deleted uploads on purpose, for a day; leases belong to nobody.
const searches: { kind: ViolationKind; sql: string }[] = [
  {
    kind: 'orphaned_stage',
    sql: `select s.upload_id || ', ' || count(*) || ' chunks, upload is ' || coalesce(u.state, 'gone') as row
      from sluice.staged_chunks s left join sluice.uploads u on u.id = s.upload_id group by s.upload_id, u.state`,
  },
  {
    kind: 'orphaned_part',
    sql: `select p.upload_id || ' with ' || count(*) || ' parts, upload is ' || coalesce(u.state, 'gone') as row
      from sluice.upload_parts p left join sluice.uploads u on u.id = p.upload_id
      where u.state is null or u.state in ('ready', 'superseded') group by p.upload_id, u.state`,
  },
  {
    kind: 'orphaned_document',
    sql: `select id::text as row from sluice.documents d where live_upload_id is null
      and not exists (select from sluice.uploads u where u.document_id = d.id and u.state <> 'receiving')`,
  },
  {
    kind: 'orphaned_document',
    sql: `select d.id || ' with live version ' || live_upload_id || ' that is not there or not ready' as row from sluice.documents d
      where live_upload_id is not null
        and not exists (select from sluice.uploads u where u.id = d.live_upload_id and u.document_id = d.id and u.state = 'ready')`,
  },
  {
    kind: 'orphaned_request',
    sql: `select id || ' since ' || created_at as row from sluice.uploads where state = 'receiving'`,
  },
];

function chunksOf({ id }: Collection): string {
  return `select c.document_id || ' with ' || count(*) || ' chunks' as row
    from sluice.chunks_${id} c left join sluice.documents d on d.id = c.document_id and d.collection_id = ${id}
    where d.live_upload_id is null group by c.document_id`;
}

/** Rows that nothing needs or that hang in the air. */
export async function checkOrphans(
  db: Queryable,
  ledger: Ledger,
  collections: readonly Collection[],
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const chunkSearches = collections.map((collection) => ({
    kind: 'orphaned_chunk' as const,
    sql: chunksOf(collection),
  }));
  for (const { kind, sql } of [...searches, ...chunkSearches]) {
    const { rows } = await db.query<{ row: string }>(sql);
    for (const { row } of rows) {
      const deleted = ledger.deletedDocuments.has(row.slice(0, 36));
      const detail = deleted ? `${row}, of a document that was deleted` : row;
      violations.push({ kind: deleted ? 'resurrected_document' : kind, subject: 'tables', detail });
    }
  }
  return violations;
}
