import type { Logger } from '@sluice/telemetry';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { HttpProblem, problemDocument } from '../http-problem.ts';
import { toProblem } from '../to-problem.ts';

export const notFound: RequestHandler = (request) => {
  throw new HttpProblem('not_found', `there is no ${request.path}; the API reference is at /docs`);
};

export function methodNotAllowed(...allowed: string[]): RequestHandler {
  return (request, response) => {
    response.set('allow', allowed.join(', '));
    throw new HttpProblem(
      'method_not_allowed',
      `${request.path} takes ${allowed.join(', ')}, not ${request.method}`,
    );
  };
}

// Time for a sender that is still sending to read the answer before the connection is cut.
const lingerMs = 1_000;

/** Answers before the whole request was read: the rest is not waited for. */
function cutOffRest(response: Response): void {
  const { req: request } = response;
  if (request.complete) return;
  request.unpipe();
  request.resume();
  const cut = () => {
    if (!request.complete) request.destroy();
  };
  // Not "Connection: close": Node would then close at once, and whoever is still sending never reads the answer.
  response.once('finish', () => setTimeout(cut, lingerMs).unref());
}

/** Every error of every route ends here, as a problem document. */
export function problems(log: Logger): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const problem = toProblem(error);
    // Those are many at a time, and the pool's events tell of them.
    if (problem.status >= 500 && problem.code !== 'overloaded')
      log.error({ request_id: request.id, err: problem.cause ?? problem }, problem.code);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    cutOffRest(response);
    if (problem.extras.retryAfterSeconds)
      response.set('retry-after', String(problem.extras.retryAfterSeconds));
    response.status(problem.status).type('application/problem+json');
    response.send(JSON.stringify(problemDocument(problem, request.path, request.id)));
  };
}
