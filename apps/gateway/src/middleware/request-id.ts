import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';

declare module 'express-serve-static-core' {
  interface Request {
    /** The caller's `X-Request-Id` where it is a plain one, else generated; echoed in the answer and in every log line. */
    id: string;
  }
}

export const requestId: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  request.id = given && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
  response.set('x-request-id', request.id);
  next();
};
