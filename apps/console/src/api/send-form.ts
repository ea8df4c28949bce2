import { strings } from '../strings/index.ts';
import { ApiError } from './api-error.ts';

export interface FormAnswer {
  status: number;
  body: string;
  /** The header, in seconds */
  retryAfter: string | null;
}

/**
 * POST of a form by XMLHttpRequest: fetch does not say how much of a body has been sent.
 * Rejects with ApiError `unreachable` when no answer comes, which is also what a browser makes of a server that refuses a body
 * before it has read all of it; with an AbortError by the signal.
 */
export function sendForm(
  path: string,
  form: FormData,
  headers: Record<string, string>,
  onSent: (share: number) => void,
  signal: AbortSignal,
): Promise<FormAnswer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.onload = () =>
      resolve({
        status: request.status,
        body: request.responseText,
        retryAfter: request.getResponseHeader('retry-after'),
      });
    request.onerror = () =>
      reject(new ApiError('unreachable', strings.value.errors.sendingBroke, { status: 0 }));
    request.onabort = () => reject(signal.reason);
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(form);
  });
}
