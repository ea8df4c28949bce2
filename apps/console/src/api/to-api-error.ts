import { strings } from '../strings/index.ts';
import { ApiError } from './api-error.ts';

/** Whatever a call has thrown, as something to show. */
export function toApiError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  return new ApiError('unexpected_answer', strings.value.errors.unexpected, { status: 0, cause });
}
