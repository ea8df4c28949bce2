import type { RequestHandler } from 'express';
import { requiredScope } from '../access/route-scopes.ts';
import { HttpProblem } from '../http-problem.ts';

/** Lets in who has the scope that the table of routes asks for, before any of them. */
export const authorize: RequestHandler = function checkAccess(request, _response, next) {
  const needed = requiredScope(request.method, request.path);
  if (needed === 'public' || request.caller.scopes.has(needed)) return next();
  const detail = `this API key has not the scope "${needed}", which ${request.method} ${request.path} needs`;
  throw new HttpProblem('forbidden', detail, { scope: needed, scopes: [...request.caller.scopes] });
};
