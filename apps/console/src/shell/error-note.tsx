import type { ApiError } from '../api/api-error.ts';
import { strings } from '../strings/index.ts';

export type Fault = Pick<ApiError, 'code' | 'message'> & Partial<Pick<ApiError, 'requestId'>>;

/** What went wrong, with the code to look up and the request id to find in the log. */
export function ErrorNote({ error }: { error: Fault }) {
  const meaning = strings.value.errors.meanings[error.code];
  return (
    <div class="error" role="alert">
      {meaning && <p>{meaning}</p>}
      <p class={meaning ? 'lines small' : 'lines'}>{error.message}</p>
      <p class="small">
        <code>{error.code}</code>
        {error.requestId && <> {strings.value.errors.request(error.requestId)}</>}
      </p>
    </div>
  );
}
