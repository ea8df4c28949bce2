import type { Queryable } from '@sluice/pool';
import { type Batch, batchIsWithin, findBatches } from '@sluice/store';
import type { Caller } from '../access/caller.ts';
import { HttpProblem } from '../http-problem.ts';
import { isUuid } from '../validate.ts';

export function batchNotFound(id: string): HttpProblem {
  const detail = `no batch has the id "${id}"; create one with POST /v1/batches`;
  return new HttpProblem('batch_not_found', detail, { id });
}

/** A caller who may use some collections only sees batches in which there is nothing else. */
export async function maySeeBatch(
  db: Queryable,
  id: string,
  { collections, keyId }: Caller,
): Promise<boolean> {
  return collections === undefined || batchIsWithin(db, id, { collections, keyId });
}

/** One that the caller may see. */
export async function requireBatch(db: Queryable, id: string, caller: Caller): Promise<Batch> {
  const [batch] = isUuid(id) ? await findBatches(db, [id]) : [];
  if (!batch || !(await maySeeBatch(db, id, caller))) throw batchNotFound(id);
  return batch;
}
