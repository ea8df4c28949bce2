import { findUploads, type Upload } from '@sluice/store';
import { type Caller, mayUse } from '../access/caller.ts';
import { HttpProblem } from '../http-problem.ts';
import { withLiveProgress } from '../live-status.ts';
import type { Services } from '../services.ts';
import { isUuid } from '../validate.ts';

export function uploadNotFound(id: string): HttpProblem {
  return new HttpProblem('upload_not_found', `no upload has the id "${id}"; it may have been deleted`, {
    id,
  });
}

/** One that the caller may see, with its live progress. */
export async function requireUpload(
  { pool, catalog, progress }: Services,
  id: string,
  caller: Caller,
): Promise<Upload> {
  const [upload] = isUuid(id) ? await withLiveProgress(progress, await findUploads(pool, [id])) : [];
  if (!upload || !mayUse(caller, upload.collectionName)) throw uploadNotFound(id);
  // Whoever reads "ready" here finds the document in the next query, also before the notification has come.
  catalog.observe(upload.collectionId, upload.generation);
  return upload;
}
