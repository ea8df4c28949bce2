import { uploadListQuerySchema } from '@sluice/contract';
import { ingestUploadJob } from '@sluice/queue';
import { deleteUpload, listUploads } from '@sluice/store';
import { Router } from 'express';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentUpload } from '../present.ts';
import { requireCollection, type Services } from '../services.ts';
import { isUuid, validate } from '../validate.ts';
import { createUpload } from './create-upload.ts';
import { requireUpload, uploadNotFound } from './require-upload.ts';
import { watchUpload } from './watch-upload.ts';

export function uploadRoutes(services: Services): Router {
  const { pool, catalog, producer, log } = services;
  const router = Router();

  router
    .route('/')
    .post(...createUpload(services))
    .get(async (request, response) => {
      const { collection, state, cursor, limit } = validate(uploadListQuerySchema, request.query);
      const collectionId = collection && (await requireCollection(catalog, collection)).id;
      const uploads = await listUploads(pool, {
        ...(collectionId && { collectionId }),
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
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/:id')
    .get(async (request, response) => {
      response.json(presentUpload(await requireUpload(services, request.params.id)));
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      const deleted =
        isUuid(id) &&
        (await pool.lane('interactive').transaction((transaction) => deleteUpload(transaction, id)));
      if (!deleted) throw uploadNotFound(id);
      await catalog.refresh();
      // A job that stays behind finds nothing to do.
      producer
        .remove(ingestUploadJob, id)
        .catch((error) => log.warn({ upload_id: id, err: error }, 'job not removed'));
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  router.route('/:id/events').get(watchUpload(services)).all(methodNotAllowed('GET'));
  return router;
}
