import type { Queryable } from '@sluice/pool';
import { type Batch, findBatches } from '@sluice/store';
import { HttpProblem } from '../http-problem.ts';
import { isUuid } from '../validate.ts';

export function batchNotFound(id: string): HttpProblem {
  const detail = `no batch has the id "${id}"; create one with POST /v1/batches`;
  return new HttpProblem('batch_not_found', detail, { id });
}

export async function requireBatch(db: Queryable, id: string): Promise<Batch> {
  const [batch] = isUuid(id) ? await findBatches(db, [id]) : [];
  if (!batch) throw batchNotFound(id);
  return batch;
}
