import { type AnswerBody, querySchema } from '@sluice/contract';
import express, { Router } from 'express';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentHit } from '../present.ts';
import { requireCollection, type Services } from '../services.ts';
import { validate } from '../validate.ts';

const tenths = (ms: number) => Math.round(ms * 10) / 10;

export function queryRoutes({ catalog, search }: Services): Router {
  const router = Router();
  router
    .route('/')
    .post(express.json({ limit: '256kb' }), async (request, response) => {
      const { query, vector, k, collection: name, mode, filter } = validate(querySchema, request.body);
      const collection = await requireCollection(catalog, name);
      const { hits, index, cached, generation, timings } = await search({
        collection,
        query: query ?? Float32Array.from(vector as number[]),
        k,
        filter,
      });
      const body: AnswerBody = {
        results: hits.map((hit) => presentHit(collection.distance, hit)),
        answer: {
          mode,
          collection: name,
          cached,
          index,
          generation,
          timings: {
            embed_ms: tenths(timings.embed),
            search_ms: tenths(timings.search),
            total_ms: tenths(timings.total),
          },
        },
      };
      response.json(body);
    })
    .all(methodNotAllowed('POST'));
  return router;
}
