import type { Problem } from '@sluice/contract';
import { CliError } from '../errors.ts';
import { harmless } from '../terminal.ts';

/** The server answered with an error of its own. */
export class RequestError extends CliError {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly problem: Problem | undefined;
  /** How long the server wants to be left alone, in ms, when it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    details: { status: number; problem: Problem | undefined; retryAfterMs: number | undefined },
    advice: readonly string[],
  ) {
    super('request_refused', message, { advice });
    this.status = details.status;
    this.problem = details.problem;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** What the details of a problem don't say, because it is about this program. */
function adviceOn(code: string, server: string): string[] {
  if (code === 'unauthorized') return ['Give the key of the server: --key or SLUICE_API_KEY.'];
  if (code === 'forbidden') return ['Give a key with that scope: --key or SLUICE_API_KEY.'];
  if (code === 'collection_not_found') {
    const body = `'{"name":"NAME"}'`;
    return [`Create it: curl ${server}/v1/collections -H 'content-type: application/json' -d ${body}`];
  }
  if (code === 'internal') return ['It is a fault of the server; its log says more under the request id.'];
  return [];
}

export function problemError(response: Response, problem: Problem | undefined, target: URL): RequestError {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const details = {
    status: response.status,
    problem,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  };
  if (!problem) {
    const message =
      `${target.origin}${target.pathname} answered ${response.status} ${response.statusText}`.trim();
    return new RequestError(message, details, [
      'Is that Sluice, or another program? Check --url or SLUICE_URL.',
    ]);
  }
  const places = (problem.errors ?? []).map(({ path, message }) =>
    harmless(`${path || '(body)'}: ${message}`),
  );
  const advice = [...places, ...adviceOn(problem.code, target.origin)];
  if (problem.request_id) advice.push(`Request id: ${harmless(problem.request_id)}`);
  return new RequestError(
    `${harmless(problem.detail || problem.title)} [${harmless(problem.code)}]`,
    details,
    advice,
  );
}
