import { collectionChangeSchema, newCollectionSchema } from '@sluice/contract';
import {
  collectionStatistics,
  createCollection,
  declareMetadataIndexes,
  declareTextSearch,
  deleteCollection,
} from '@sluice/store';
import express, { Router } from 'express';
import { audit } from '../access/audit.ts';
import { mayUse } from '../access/caller.ts';
import { settleDeletion } from '../deletion-receipt.ts';
import { completeCollection } from '../embedding-defaults.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentCollection } from '../present.ts';
import { collectionNotFound, requireCollection, type Services } from '../services.ts';
import { validate } from '../validate.ts';

export function collectionRoutes(services: Services): Router {
  const { pool, catalog, embeddingDefaults, vectorIndex, log } = services;
  const router = Router();

  router
    .route('/')
    .get(async (request, response) => {
      const collections = (await catalog.list()).filter(({ name }) => mayUse(request.caller, name));
      response.json({ collections: collections.map((collection) => presentCollection(collection)) });
    })
    .post(express.json(), async (request, response) => {
      const definition = completeCollection(validate(newCollectionSchema, request.body), embeddingDefaults);
      const created = await pool.lane('interactive').transaction(async (transaction) => {
        const collection = await createCollection(transaction, definition, vectorIndex);
        await audit(transaction, log, request, { action: 'collection.create', target: collection.name });
        return collection;
      });
      await catalog.refresh();
      response.status(201).location(`/v1/collections/${created.name}`).json(presentCollection(created));
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/:name')
    .get(async (request, response) => {
      const collection = await requireCollection(catalog, request.params.name, request.caller);
      response.json(presentCollection(collection, await collectionStatistics(pool, collection.id)));
    })
    .patch(express.json(), async (request, response) => {
      const { metadata_indexes: indexes, text_search: textSearch } = validate(
        collectionChangeSchema,
        request.body,
      );
      const { id, name } = await requireCollection(catalog, request.params.name, request.caller);
      await pool.lane('interactive').transaction(async (transaction) => {
        if (indexes) await declareMetadataIndexes(transaction, id, indexes);
        if (textSearch !== undefined) await declareTextSearch(transaction, id, textSearch);
        const details = { metadata_indexes: indexes, text_search: textSearch };
        await audit(transaction, log, request, { action: 'collection.change', target: name, details });
      });
      await catalog.refresh();
      response.json(presentCollection(await requireCollection(catalog, name, request.caller)));
    })
    .delete(async (request, response) => {
      const { id, name } = await requireCollection(catalog, request.params.name, request.caller);
      const deleted = await pool.lane('interactive').transaction(async (transaction) => {
        const deletion = await deleteCollection(transaction, id);
        const details = { receipt: deletion?.id };
        if (deletion)
          await audit(transaction, log, request, { action: 'collection.delete', target: name, details });
        return deletion;
      });
      if (!deleted) {
        await catalog.refresh();
        throw collectionNotFound(name);
      }
      response.json(await settleDeletion(services, deleted));
    })
    .all(methodNotAllowed('GET', 'PATCH', 'DELETE'));
  return router;
}
