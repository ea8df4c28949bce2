import { chunkListQuerySchema, documentChangeSchema, documentListQuerySchema } from '@sluice/contract';
import {
  type Document,
  deleteDocument,
  findDocument,
  listDocumentChunks,
  listDocuments,
  updateDocument,
} from '@sluice/store';
import express, { Router } from 'express';
import { type Caller, mayUse } from '../access/caller.ts';
import { settleDeletion } from '../deletion-receipt.ts';
import { HttpProblem } from '../http-problem.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentChunk, presentDocument } from '../present.ts';
import { requireCollection, type Services } from '../services.ts';
import { isUuid, validate } from '../validate.ts';
import { sendDocumentText } from './document-text.ts';

/** `microseconds.id` of the last document of a page. */
function parseCursor(cursor: string): { createdAtMicros: number; id: string } {
  const [micros, id] = cursor.split('.') as [string, string];
  if (!isUuid(id))
    throw new HttpProblem('invalid_request', 'the cursor is not one of ours: leave it out to begin anew');
  return { createdAtMicros: Number(micros), id };
}

export function documentRoutes(services: Services): Router {
  const { pool, catalog, log } = services;
  const router = Router();
  const missing = (id: string) =>
    new HttpProblem('document_not_found', `no live document has the id "${id}"`, { id });

  /** One that the caller may see. */
  async function requireDocument(id: string, caller: Caller): Promise<Document> {
    const document = isUuid(id) ? await findDocument(pool, id) : undefined;
    if (!document || !mayUse(caller, document.collectionName)) throw missing(id);
    return document;
  }

  router
    .route('/')
    .get(async (request, response) => {
      const { collection, external_id, cursor, limit } = validate(documentListQuerySchema, request.query);
      const documents = await listDocuments(pool, {
        collectionId: (await requireCollection(catalog, collection, request.caller)).id,
        externalId: external_id,
        after: cursor === undefined ? undefined : parseCursor(cursor),
        limit,
      });
      const last = documents.length === limit ? documents.at(-1) : undefined;
      response.json({
        documents: documents.map(presentDocument),
        next_cursor: last ? `${last.createdAtMicros}.${last.id}` : null,
      });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/:id')
    .get(async (request, response) => {
      response.json(presentDocument(await requireDocument(request.params.id, request.caller)));
    })
    .patch(express.json(), async (request, response) => {
      const { id } = request.params;
      const change = validate(documentChangeSchema, request.body);
      await requireDocument(id, request.caller);
      const updated = await pool
        .lane('interactive')
        .transaction((transaction) => updateDocument(transaction, id, change));
      if (!updated) throw missing(id);
      await catalog.refresh();
      response.json(presentDocument(await requireDocument(id, request.caller)));
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      // A document of which no version is live yet goes as well.
      if (request.caller.collections) await requireDocument(id, request.caller);
      const deleted =
        isUuid(id) &&
        (await pool.lane('interactive').transaction((transaction) => deleteDocument(transaction, id)));
      if (!deleted) throw missing(id);
      log.info({ request_id: request.id, document_id: id, receipt: deleted.id }, 'document deleted');
      response.json(await settleDeletion(services, deleted));
    })
    .all(methodNotAllowed('GET', 'PATCH', 'DELETE'));

  router.route('/:id/text').get(sendDocumentText(services, requireDocument)).all(methodNotAllowed('GET'));

  router
    .route('/:id/chunks')
    .get(async (request, response) => {
      const { cursor, limit } = validate(chunkListQuerySchema, request.query);
      const document = await requireDocument(request.params.id, request.caller);
      const chunks = await listDocumentChunks(pool, document, { after: Number(cursor ?? -1), limit });
      const last = chunks.length === limit ? chunks.at(-1) : undefined;
      response.json({ chunks: chunks.map(presentChunk), next_cursor: last ? String(last.ordinal) : null });
    })
    .all(methodNotAllowed('GET'));
  return router;
}
