import { batchUploadsQuerySchema, newBatchSchema } from '@sluice/contract';
import type { Transaction } from '@sluice/pool';
import { type Batch, cancelBatch, insertBatch, listUploads } from '@sluice/store';
import express, { Router } from 'express';
import { v7 as uuid } from 'uuid';
import type { Caller } from '../access/caller.ts';
import { streamStatus } from '../event-stream.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentUpload } from '../present.ts';
import { presentBatch, statusOf } from '../present-batch.ts';
import type { Services } from '../services.ts';
import { isUuid, validate } from '../validate.ts';
import type { Watcher } from '../watcher.ts';
import { batchNotFound, maySeeBatch, requireBatch } from './require-batch.ts';

export function batchRoutes({ pool, batchWatcher, log }: Services): Router {
  const router = Router();

  /** Asks once nobody can add to the batch any more, so that nothing of others is cancelled with it. */
  async function cancelFor(
    transaction: Transaction,
    id: string,
    caller: Caller,
  ): Promise<number | undefined> {
    const cancelled = await cancelBatch(transaction, id);
    if (cancelled !== undefined && !(await maySeeBatch(transaction, id, caller))) throw batchNotFound(id);
    return cancelled;
  }

  /** A batch into which others put something is gone for who may not see that. */
  function watcherFor(caller: Caller): Watcher<Batch> {
    if (!caller.collections) return batchWatcher;
    return {
      ...batchWatcher,
      watch(id, onChange) {
        let counts = '';
        return batchWatcher.watch(id, (batch) => {
          const now = JSON.stringify(batch?.counts);
          if (!batch || now === counts) return onChange(batch);
          counts = now;
          maySeeBatch(pool, id, caller).then(
            (may) => onChange(may ? batch : undefined),
            () => {
              // Asked again at the next round.
              counts = '';
            },
          );
        });
      },
    };
  }

  router
    .route('/')
    .post(express.json(), async (request, response) => {
      validate(newBatchSchema, request.body ?? {});
      const id = uuid();
      await insertBatch(pool, id, request.caller.keyId);
      response
        .status(201)
        .location(`/v1/batches/${id}`)
        .json(presentBatch(await requireBatch(pool, id, request.caller)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id')
    .get(async (request, response) => {
      response.json(presentBatch(await requireBatch(pool, request.params.id, request.caller)));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/:id/uploads')
    .get(async (request, response) => {
      const { state, cursor, limit } = validate(batchUploadsQuerySchema, request.query);
      const { id } = await requireBatch(pool, request.params.id, request.caller);
      const uploads = await listUploads(pool, {
        batchId: id,
        collections: request.caller.collections,
        ...(state && { state }),
        ...(cursor && { before: Number(cursor) }),
        limit,
      });
      const last = uploads.length === limit ? uploads.at(-1) : undefined;
      response.json({
        uploads: uploads.map(presentUpload),
        next_cursor: last ? String(last.sequence) : null,
      });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/:id/cancel')
    .post(async (request, response) => {
      const { id } = request.params;
      const cancelled = isUuid(id)
        ? await pool
            .lane('interactive')
            .transaction((transaction) => cancelFor(transaction, id, request.caller))
        : undefined;
      if (cancelled === undefined) throw batchNotFound(id);
      // Their jobs stay in the queue and find nothing to do.
      log.info({ request_id: request.id, batch_id: id, uploads: cancelled }, 'batch cancelled');
      response.json(presentBatch(await requireBatch(pool, id, request.caller)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id/events')
    .get(async (request, response) => {
      const { caller } = request;
      streamStatus(response, await requireBatch(pool, request.params.id, caller), {
        watcher: watcherFor(caller),
        present: presentBatch,
        isFinal: (batch) => ['completed', 'cancelled'].includes(statusOf(batch)),
      });
    })
    .all(methodNotAllowed('GET'));
  return router;
}
