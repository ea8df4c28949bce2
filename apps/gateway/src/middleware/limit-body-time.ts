import type { RequestHandler } from 'express';
import { HttpProblem } from '../http-problem.ts';
import { sendProblem } from './problems.ts';

const isUpload = (method: string, path: string) => method === 'POST' && /^\/v1\/uploads\/?$/i.test(path);

/**
 * A sender who gives a byte now and then holds a connection and what was begun for it. Uploads may take long, and have a limit of their
 * own (UPLOAD_TIMEOUT_SECONDS).
 */
export function limitBodyTime(limitMs: number): RequestHandler {
  return function limitBody(request, response, next) {
    if (request.complete || isUpload(request.method, request.path)) return next();
    const timer = setTimeout(() => {
      if (request.complete || response.headersSent) return;
      const detail = `the body did not arrive within ${limitMs} ms`;
      sendProblem(request, response, new HttpProblem('request_timeout', detail));
    }, limitMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}
