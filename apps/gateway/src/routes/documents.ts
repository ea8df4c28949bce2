import { deleteDocument, findDocument } from '@sluice/store';
import { Router } from 'express';
import { HttpProblem } from '../http-problem.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import { presentDocument } from '../present.ts';
import type { Services } from '../services.ts';
import { isUuid } from '../validate.ts';

export function documentRoutes({ pool, catalog }: Services): Router {
  const router = Router();
  const missing = (id: string) =>
    new HttpProblem('document_not_found', `no live document has the id "${id}"`, { id });

  router
    .route('/:id')
    .get(async (request, response) => {
      const { id } = request.params;
      const document = isUuid(id) ? await findDocument(pool, id) : undefined;
      if (!document) throw missing(id);
      response.json(presentDocument(document));
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      const deleted =
        isUuid(id) &&
        (await pool.lane('interactive').transaction((transaction) => deleteDocument(transaction, id)));
      if (!deleted) throw missing(id);
      await catalog.refresh();
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'DELETE'));
  return router;
}
