import { type RedrivenBody, redriveSchema, uploadListQuerySchema } from '@sluice/contract';
import { ingestUploadJob } from '@sluice/queue';
import {
  assignTurns,
  cancelUpload,
  countFailedUploads,
  deleteUpload,
  listUploads,
  placeInLine,
  redriveUploads,
  retryUpload,
} from '@sluice/store';
import express, { Router } from 'express';
import { audit } from '../access/audit.ts';
import { settleDeletion } from '../deletion-receipt.ts';
import { explainWaiting } from '../explain-waiting.ts';
import { HttpProblem } from '../http-problem.ts';
import { withLiveProgress } from '../live-status.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentUpload } from '../present.ts';
import { requireCollection, type Services } from '../services.ts';
import { validate } from '../validate.ts';
import { createUpload } from './create-upload.ts';
import { enqueueUploads } from './enqueue-uploads.ts';
import { requireUpload, uploadNotFound } from './require-upload.ts';
import { watchUpload } from './watch-upload.ts';

export function uploadRoutes(services: Services): Router {
  const { pool, catalog, producer, progress, monitor, log } = services;
  const router = Router();

  /** One that stays behind finds nothing to do. */
  function removeJob(id: string): void {
    producer
      .remove(ingestUploadJob, id)
      .catch((error) => log.warn({ upload_id: id, err: error }, 'job not removed'));
  }

  router
    .route('/')
    .post(...createUpload(services))
    .get(async (request, response) => {
      const { collection, state, cursor, limit } = validate(uploadListQuerySchema, request.query);
      const collectionId = collection && (await requireCollection(catalog, collection, request.caller)).id;
      const uploads = await listUploads(pool, {
        ...(collectionId && { collectionId }),
        collections: request.caller.collections,
        ...(state && { state }),
        ...(cursor && { before: Number(cursor) }),
        limit,
      });
      const last = uploads.length === limit ? uploads.at(-1) : undefined;
      response.json({
        uploads: (await withLiveProgress(progress, uploads)).map(presentUpload),
        next_cursor: last ? String(last.sequence) : null,
      });
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/retry')
    .post(express.json(), async (request, response) => {
      const { collection, code, retryable, limit } = validate(redriveSchema, request.body ?? {});
      const { collections } = request.caller;
      const collectionId = collection && (await requireCollection(catalog, collection, request.caller)).id;
      const which = { collectionId: collectionId || undefined, collections, code, retryable };
      const ids = await pool.lane('interactive').transaction(async (transaction) => {
        const redriven = await redriveUploads(transaction, which, limit);
        const details = { uploads: redriven.length, code, retryable };
        await audit(transaction, log, request, {
          action: 'uploads.retry',
          target: collection ?? null,
          details,
        });
        return redriven;
      });
      enqueueUploads(services, await assignTurns(pool, ids), request.id);
      void progress.announceChange(ids);
      const body: RedrivenBody = { upload_ids: ids, remaining: await countFailedUploads(pool, which) };
      response.json(body);
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id/cancel')
    .post(async (request, response) => {
      const { id } = request.params;
      await requireUpload(services, id, request.caller);
      const state = await cancelUpload(pool, id);
      if (!state) throw uploadNotFound(id);
      if (state !== 'cancelled') {
        const detail = `the upload is ${state}: only one that has not ended can be cancelled; DELETE removes it`;
        throw new HttpProblem('upload_final', detail, { id, state });
      }
      void progress.announceChange([id]);
      removeJob(id);
      log.info({ request_id: request.id, upload_id: id }, 'upload cancelled');
      response.json(presentUpload(await requireUpload(services, id, request.caller)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id/retry')
    .post(async (request, response) => {
      const { id } = request.params;
      const { state } = await requireUpload(services, id, request.caller);
      if (!(await retryUpload(pool, id))) {
        const detail = `the upload is ${state}: only one that failed or was cancelled can be retried`;
        throw new HttpProblem('upload_not_retryable', detail, { id, state });
      }
      enqueueUploads(services, await assignTurns(pool, [id]), request.id);
      void progress.announceChange([id]);
      log.info({ request_id: request.id, upload_id: id }, 'upload retried');
      response.status(202).json(presentUpload(await requireUpload(services, id, request.caller)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/:id')
    .get(async (request, response) => {
      const upload = await requireUpload(services, request.params.id, request.caller);
      const waiting =
        upload.state === 'queued' &&
        explainWaiting(upload, await placeInLine(pool, upload.turn ?? 1), await monitor.workers());
      response.json({ ...presentUpload(upload), ...(waiting && { waiting }) });
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      await requireUpload(services, id, request.caller);
      const deleted = await pool
        .lane('interactive')
        .transaction((transaction) => deleteUpload(transaction, id));
      if (!deleted) throw uploadNotFound(id);
      log.info({ request_id: request.id, upload_id: id, receipt: deleted.id }, 'upload deleted');
      response.json(await settleDeletion(services, deleted));
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  router.route('/:id/events').get(watchUpload(services)).all(methodNotAllowed('GET'));
  return router;
}
