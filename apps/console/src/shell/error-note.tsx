import type { ApiError } from '../api/api-error.ts';
import { strings } from '../strings/index.ts';

export type Fault = Pick<ApiError, 'code' | 'message'> & Partial<Pick<ApiError, 'requestId'>>;

export interface ErrorNoteProps {
  error: Fault;
  /** It is part of what is listed, so that it is not read out by itself. */
  listed?: boolean;
}

/** What went wrong, with the code to look up and the request id to find in the log. */
export function ErrorNote({ error, listed = false }: ErrorNoteProps) {
  const meaning = strings.value.errors.meanings[error.code];
  return (
    <div class="error" role={listed ? undefined : 'alert'}>
      {meaning && <p>{meaning}</p>}
      <p class={meaning ? 'lines small' : 'lines'}>{error.message}</p>
      <p class="small">
        <code>{error.code}</code>
        {error.requestId && <> {strings.value.errors.request(error.requestId)}</>}
      </p>
    </div>
  );
}
