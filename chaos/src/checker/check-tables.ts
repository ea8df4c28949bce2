import type { Queryable } from '@sluice/pool';
import type { Ledger } from '../ledger.ts';
import type { Services } from '../services.ts';
import { checkChunks } from './check-chunks.ts';
import { checkDocuments } from './check-documents.ts';
import { checkOrphans } from './check-orphans.ts';
import { checkUploads } from './check-uploads.ts';
import type { Reference } from './reference.ts';
import type { Violation } from './violation.ts';

/** Compares the tables with the ledger. Nothing may be under way. */
export async function checkTables(
  db: Queryable,
  ledger: Ledger,
  collections: Services['collections'],
  reference: Reference,
): Promise<Violation[]> {
  const violations = [
    ...(await checkUploads(db, ledger)),
    ...(await checkDocuments(db, ledger)),
    ...(await checkOrphans(db, ledger, Object.values(collections))),
  ];
  for (const document of ledger.documents) {
    violations.push(...(await checkChunks(db, collections[document.collection], document, reference)));
  }
  return violations;
}
