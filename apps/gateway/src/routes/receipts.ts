import { findDeletion } from '@sluice/store';
import { Router } from 'express';
import { mayUse } from '../access/caller.ts';
import { measureReceipt } from '../deletion-receipt.ts';
import { HttpProblem } from '../http-problem.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import type { Services } from '../services.ts';
import { isUuid } from '../validate.ts';

export function receiptRoutes(services: Services): Router {
  const router = Router();
  router
    .route('/:id')
    .get(async (request, response) => {
      const { id } = request.params;
      const deletion = isUuid(id) ? await findDeletion(services.pool, id) : undefined;
      // Nobody can tell any more whose it was when its collection is gone.
      const collection = deletion && (await services.catalog.byId(deletion.collectionId));
      const hidden = request.caller.collections && !(collection && mayUse(request.caller, collection.name));
      if (!deletion || hidden)
        throw new HttpProblem('receipt_not_found', `no deletion has a receipt "${id}"`, { id });
      response.json(await measureReceipt(services, deletion));
    })
    .all(methodNotAllowed('GET'));
  return router;
}
