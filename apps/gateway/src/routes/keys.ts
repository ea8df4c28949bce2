import { newApiKeySchema, rotationSchema } from '@sluice/contract';
import {
  type ApiKey,
  createApiKey,
  findApiKey,
  listApiKeys,
  presentApiKey,
  readNewApiKey,
  revokeApiKey,
  rotateApiKey,
} from '@sluice/store';
import express, { Router } from 'express';
import { audit } from '../access/audit.ts';
import { HttpProblem } from '../http-problem.ts';
import { methodNotAllowed } from '../middleware/problems.ts';
import type { Services } from '../services.ts';
import { validate } from '../validate.ts';

function keyNotFound(id: string): HttpProblem {
  return new HttpProblem('key_not_found', `no API key has the id "${id}"`, { id });
}

export function keyRoutes({ pool, apiKeys, log }: Services): Router {
  const router = Router();
  const lane = pool.lane('interactive');
  const present = (key: ApiKey & { key: string }) => ({ ...presentApiKey(key), key: key.key });
  // An answer with a key in it is for nobody's cache.
  const once = { 'cache-control': 'no-store' };

  router
    .route('/')
    .get(async (_request, response) => {
      response.json({ keys: (await listApiKeys(pool)).map(presentApiKey) });
    })
    .post(express.json(), async (request, response) => {
      const body = validate(newApiKeySchema, request.body);
      const wanted = readNewApiKey(body, request.caller.keyId ?? request.caller.name);
      const made = await lane.transaction(async (transaction) => {
        const key = await createApiKey(transaction, wanted);
        const { name, scopes, collections } = key;
        await audit(transaction, log, request, {
          action: 'key.create',
          target: key.id,
          details: { name, scopes, collections },
        });
        return key;
      });
      await apiKeys.refresh();
      response.status(201).location(`/v1/keys/${made.id}`).set(once).json(present(made));
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/:id')
    .get(async (request, response) => {
      const key = await findApiKey(pool, request.params.id);
      if (!key) throw keyNotFound(request.params.id);
      response.json(presentApiKey(key));
    })
    .delete(async (request, response) => {
      const { id } = request.params;
      const revoked = await lane.transaction(async (transaction) => {
        const key = await revokeApiKey(transaction, id);
        if (key) {
          const details = { name: key.name };
          await audit(transaction, log, request, { action: 'key.revoke', target: id, details });
        }
        return key;
      });
      if (!revoked) throw keyNotFound(id);
      await apiKeys.refresh();
      response.json(presentApiKey(revoked));
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  router
    .route('/:id/rotate')
    .post(express.json(), async (request, response) => {
      const { id } = request.params;
      const { grace_seconds: grace } = validate(rotationSchema, request.body ?? {});
      const rotated = await lane.transaction(async (transaction) => {
        const key = await rotateApiKey(transaction, id, grace * 1_000);
        if (key) {
          const details = { name: key.name, grace_seconds: grace };
          await audit(transaction, log, request, { action: 'key.rotate', target: id, details });
        }
        return key;
      });
      if (!rotated) {
        if (!(await findApiKey(pool, id))) throw keyNotFound(id);
        throw new HttpProblem('key_ended', 'the key has expired or was revoked: create another one', { id });
      }
      await apiKeys.refresh();
      response.set(once).json(present(rotated));
    })
    .all(methodNotAllowed('POST'));
  return router;
}
