import type { Response } from 'express';
import { HttpProblem } from './http-problem.ts';

/** Why nobody needs the answer any more. */
export class ClientGone extends Error {
  constructor() {
    super('the client has closed the connection');
    this.name = 'ClientGone';
  }
}

/**
 * Aborted when the answer has taken `timeoutMs`, with problem `deadline_exceeded` as the reason, and when the response is closed,
 * with `ClientGone`: usually nobody hears that, but when one of several searches has failed, the others end too.
 */
export function requestSignal(response: Response, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const detail =
      `the search took longer than ${timeoutMs} ms: allow it more with timeout_ms (at most SEARCH_TIMEOUT_MS of the server), ` +
      'ask for less (k, max_per_document, fewer collections or queries), or try again when there is less to do';
    controller.abort(new HttpProblem('deadline_exceeded', detail, { timeout_ms: timeoutMs }));
  }, timeoutMs);
  const closed = () => {
    clearTimeout(timer);
    controller.abort(new ClientGone());
  };
  if (response.destroyed) closed();
  else response.once('close', closed);
  return controller.signal;
}
