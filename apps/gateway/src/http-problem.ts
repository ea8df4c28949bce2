import { type Problem, type ProblemCode, problemCodes } from '@sluice/contract';

type Extras = Record<string, unknown> & { errors?: Problem['errors']; retryAfterSeconds?: number };

/** An answer that is a problem document. `extras` become members of it. */
export class HttpProblem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly extras: Extras;

  constructor(code: ProblemCode, detail: string, extras: Extras = {}, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'HttpProblem';
    this.code = code;
    this.status = problemCodes[code][0];
    this.extras = extras;
  }
}

export function problemDocument(
  { code, status, message, extras }: HttpProblem,
  instance: string,
  requestId: string,
): Problem {
  const { retryAfterSeconds: _, ...members } = extras;
  return {
    type: `https://sluice.dev/problems/${code}`,
    title: problemCodes[code][1],
    status,
    code,
    detail: message,
    instance,
    request_id: requestId,
    ...members,
  };
}
