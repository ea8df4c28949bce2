import type { AnswerBody, CollectionBody, QueryBody, UploadBody } from '@sluice/contract';
import { strings } from '../strings/index.ts';
import { ApiError, errorOf } from './api-error.ts';
import { sendForm } from './send-form.ts';

export type Question = Pick<QueryBody, 'mode' | 'k' | 'collection'> & { query: string };

export interface ApiOptions {
  /** Asked before each request; null: send none. */
  readKey(): string | null;
  onUnauthorized(): void;
}

export type Api = ReturnType<typeof createApi>;

/** The part of the HTTP API that the page uses. Every call rejects with an ApiError, or with an AbortError by its signal. */
export function createApi({ readKey, onUnauthorized }: ApiOptions) {
  const headers = (): Record<string, string> => {
    const key = readKey();
    return key ? { authorization: `Bearer ${key}` } : {};
  };

  function noticed(error: ApiError): ApiError {
    if (error.status === 401) onUnauthorized();
    return error;
  }

  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(path, { ...init, headers: { ...headers(), ...init.headers } }).catch(
      (cause) => {
        if (init.signal?.aborted) throw cause;
        throw new ApiError('unreachable', strings.errors.unreachable, { status: 0, cause });
      },
    );
    if (response.ok) return response;
    throw noticed(errorOf(response.status, await response.text().catch(() => '')));
  }

  async function json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await call(path, init)).json()) as T;
  }

  const post = (body: unknown, signal?: AbortSignal): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

  return {
    listUploads: (limit: number) => json<{ uploads: UploadBody[] }>(`/v1/uploads?limit=${limit}`),
    deleteUpload: async (id: string) => void (await call(`/v1/uploads/${id}`, { method: 'DELETE' })),
    listCollections: () => json<{ collections: CollectionBody[] }>('/v1/collections'),
    createCollection: (name: string) => json<CollectionBody>('/v1/collections', post({ name })),
    query: (question: Question, signal: AbortSignal) => json<AnswerBody>('/v1/query', post(question, signal)),

    /** Server-sent events of an upload. By fetch, because EventSource cannot send the key. */
    openEvents: (id: string, signal: AbortSignal) =>
      call(`/v1/uploads/${id}/events`, { headers: { accept: 'text/event-stream' }, signal }),

    /** @param onSent is told the share of the bytes that have left, 0 to 1 */
    async sendFile(file: File, collection: string, onSent: (share: number) => void, signal: AbortSignal) {
      const form = new FormData();
      // Fields hold for the files that follow them.
      form.append('collection', collection);
      form.append('file', file, file.name);
      const { status, body } = await sendForm('/v1/uploads', form, headers(), onSent, signal);
      if (status !== 202) throw noticed(errorOf(status, body));
      return JSON.parse(body) as { uploads: UploadBody[] };
    },
  };
}
