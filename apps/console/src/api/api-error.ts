import type { Problem } from '@sluice/contract';

interface Details {
  status: number;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/**
 * What the API refused or could not do. `code` is one of the contract's problem codes, or `unreachable` when no answer came,
 * or `unexpected_answer` when it was no problem document; `status` is 0 without an answer.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;
  /** When the server says that it helps to ask again. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, details: Details) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The message of a problem document with each place that did not fit. */
function describe(problem: Problem): string {
  const faults = problem.errors?.map(({ path, message }) => (path ? `${path}: ${message}` : message)) ?? [];
  return [problem.detail ?? problem.title, ...faults].join('\n');
}

/**
 * @param body the text of an answer whose status is not 2xx
 * @param retryAfter its header of that name, in seconds
 */
export function errorOf(status: number, body: string, retryAfter: string | null = null): ApiError {
  const seconds = Number(retryAfter ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  try {
    const problem = JSON.parse(body) as Problem;
    if (typeof problem.code === 'string')
      return new ApiError(problem.code, describe(problem), {
        status,
        requestId: problem.request_id,
        retryAfterMs,
      });
  } catch {
    // A proxy in between may answer with a page of its own.
  }
  return new ApiError('unexpected_answer', `HTTP ${status}`, { status, retryAfterMs });
}
