import { measurementSchema } from '@sluice/contract';
import { measureRecall } from '@sluice/search';
import { findMeasurement, recordMeasurement } from '@sluice/store';
import express, { type RequestHandler, Router } from 'express';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentQuality } from '../present-quality.ts';
import { requireCollection, type Services } from '../services.ts';
import { validate } from '../validate.ts';

// Who measures on demand waits for it.
const budgetMs = 10_000;

export function qualityRoutes({ pool, catalog, recall }: Services): Router {
  const router = Router();
  const control = pool.lane('control');

  const read: RequestHandler<{ name: string }> = async (request, response) => {
    await catalog.refresh();
    const collection = await requireCollection(catalog, request.params.name, request.caller);
    response.json(
      presentQuality(collection, await findMeasurement(control, collection.id), recall.unmeasured),
    );
  };

  const measure: RequestHandler<{ name: string }> = async (request, _response, next) => {
    const { sample } = validate(measurementSchema, request.body ?? {});
    await catalog.refresh();
    // A copy, since its owner keeps the generation up to date.
    const collection = { ...(await requireCollection(catalog, request.params.name, request.caller)) };
    if (collection.vectorIndex === 'hnsw') {
      const measured = await measureRecall(control, collection, { ...recall, sample, budgetMs });
      if (measured) await recordMeasurement(control, collection.id, measured);
    }
    next();
  };

  router
    .route('/:name/quality')
    .get(read)
    .post(express.json(), measure, read)
    .all(methodNotAllowed('GET', 'POST'));
  return router;
}
