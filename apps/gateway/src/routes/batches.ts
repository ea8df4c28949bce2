import { batchUploadsQuerySchema, newBatchSchema } from '@sluice/contract';
import { cancelBatch, insertBatch, listUploads } from '@sluice/store';
import express, { Router } from 'express';
import { v7 as uuid } from 'uuid';
import { streamStatus } from '../event-stream.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentUpload } from '../present.ts';
import { presentBatch, statusOf } from '../present-batch.ts';
import type { Services } from '../services.ts';
import { isUuid, validate } from '../validate.ts';
import { batchNotFound, requireBatch } from './require-batch.ts';

export function batchRoutes({ pool, batchWatcher, log }: Services): Router {
  const router = Router();

  router
    .route('/')
    .post(express.json(), async (request, response) => {
      validate(newBatchSchema, request.body ?? {});
      const id = uuid();
      await insertBatch(pool, id);
      response
        .status(201)
        .location(`/v1/batches/${id}`)
        .json(presentBatch(await requireBatch(pool, id)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id')
    .get(async (request, response) => {
      response.json(presentBatch(await requireBatch(pool, request.params.id)));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/:id/uploads')
    .get(async (request, response) => {
      const { state, cursor, limit } = validate(batchUploadsQuerySchema, request.query);
      const { id } = await requireBatch(pool, request.params.id);
      const uploads = await listUploads(pool, {
        batchId: id,
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
        ? await pool.lane('interactive').transaction((transaction) => cancelBatch(transaction, id))
        : undefined;
      if (cancelled === undefined) throw batchNotFound(id);
      // Their jobs stay in the queue and find nothing to do.
      log.info({ request_id: request.id, batch_id: id, uploads: cancelled }, 'batch cancelled');
      response.json(presentBatch(await requireBatch(pool, id)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id/events')
    .get(async (request, response) => {
      streamStatus(response, await requireBatch(pool, request.params.id), {
        watcher: batchWatcher,
        present: presentBatch,
        isFinal: (batch) => ['completed', 'cancelled'].includes(statusOf(batch)),
      });
    })
    .all(methodNotAllowed('GET'));
  return router;
}
