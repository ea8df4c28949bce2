import type { Logger } from '@sluice/telemetry';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
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

/**
 * Answers before the whole request was read: the rest is thrown away for a moment, and not waited for. Were the connection closed at once,
 * as Node does where the client has asked for that, whoever is still sending would get a reset in place of the answer.
 */
function cutOffRest(response: Response): void {
  const { req: request } = response;
  if (request.complete) return;
  const closes = !response.shouldKeepAlive;
  response.shouldKeepAlive = true;
  request.unpipe();
  request.resume();
  const end = () => {
    if (!request.complete) request.destroy();
    else if (closes) request.socket.end();
  };
  response.once('finish', () => {
    const cut = setTimeout(end, lingerMs).unref();
    request.once('end', () => {
      clearTimeout(cut);
      end();
    });
  });
}

export function sendProblem(request: Request, response: Response, problem: HttpProblem): void {
  cutOffRest(response);
  if (problem.extras.retryAfterSeconds) response.set('retry-after', String(problem.extras.retryAfterSeconds));
  response.status(problem.status).type('application/problem+json');
  response.send(JSON.stringify(problemDocument(problem, request.path, request.id)));
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
    sendProblem(request, response, problem);
  };
}
