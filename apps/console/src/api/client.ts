import type {
  AnswerBody,
  CollectionBody,
  DatabaseStatsBody,
  PoolReportBody,
  QualityBody,
  QueryBody,
  QueueReportBody,
  Readiness,
  RedrivenBody,
  ScalingBody,
  UploadBody,
} from '@sluice/contract';
import { strings } from '../strings/index.ts';
import { ApiError, errorOf } from './api-error.ts';
import { sendForm } from './send-form.ts';

const readTimeoutMs = 20_000;

export type Question = Pick<QueryBody, 'mode' | 'k' | 'collection'> &
  Partial<Pick<QueryBody, 'max_per_document' | 'context' | 'cursor'>> & {
    query: string;
    /** As the API takes it */
    filter?: Record<string, unknown>;
  };

/** What belongs to a file that is sent. */
export interface FileFields {
  collection: string;
  name: string;
  externalId?: string | undefined;
  metadata?: Record<string, unknown> | undefined;
}

export interface UploadPage {
  uploads: UploadBody[];
  next_cursor: string | null;
}

export interface ApiOptions {
  /** Asked before each request; null: send none. */
  readKey(): string | null;
  onUnauthorized(): void;
  /** A request got no answer. */
  onUnreachable(): void;
}

export type Api = ReturnType<typeof createApi>;

/** The part of the HTTP API that the page uses. Every call rejects with an ApiError, or with an AbortError by its signal. */
export function createApi({ readKey, onUnauthorized, onUnreachable }: ApiOptions) {
  const headers = (): Record<string, string> => {
    const key = readKey();
    return key ? { authorization: `Bearer ${key}` } : {};
  };

  function noticed(error: ApiError): ApiError {
    if (error.status === 401) onUnauthorized();
    if (error.code === 'unreachable') onUnreachable();
    return error;
  }

  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(path, { ...init, headers: { ...headers(), ...init.headers } }).catch(
      (cause) => {
        if (init.signal?.aborted && cause.name !== 'TimeoutError') throw cause;
        throw noticed(new ApiError('unreachable', strings.value.errors.unreachable, { status: 0, cause }));
      },
    );
    if (response.ok) return response;
    const body = await response.text().catch(() => '');
    throw noticed(errorOf(response.status, body, response.headers.get('retry-after')));
  }

  async function json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await call(path, init);
    return (await response.json().catch((cause) => {
      if (init?.signal?.aborted && cause.name !== 'TimeoutError') throw cause;
      throw new ApiError('unexpected_answer', strings.value.errors.unexpected, { status: 0, cause });
    })) as T;
  }

  // A network may swallow a request without a word.
  const read = <T>(path: string) => json<T>(path, { signal: AbortSignal.timeout(readTimeoutMs) });

  const post = (body: unknown, signal?: AbortSignal): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

  return {
    listUploads: (limit: number, cursor?: string) =>
      read<UploadPage>(`/v1/uploads?limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`),
    findUpload: (id: string) => read<UploadBody>(`/v1/uploads/${id}`),
    cancelUpload: (id: string) => json<UploadBody>(`/v1/uploads/${id}/cancel`, post({})),
    retryUpload: (id: string) => json<UploadBody>(`/v1/uploads/${id}/retry`, post({})),
    retryFailed: () => json<RedrivenBody>('/v1/uploads/retry', post({})),
    deleteUpload: async (id: string) => void (await call(`/v1/uploads/${id}`, { method: 'DELETE' })),

    listCollections: () => read<{ collections: CollectionBody[] }>('/v1/collections'),
    findCollection: (name: string) => read<CollectionBody>(`/v1/collections/${name}`),
    createCollection: (name: string) => json<CollectionBody>('/v1/collections', post({ name })),
    readQuality: (name: string) => read<QualityBody>(`/v1/collections/${name}/quality`),
    measureQuality: (name: string) => json<QualityBody>(`/v1/collections/${name}/quality`, post({})),

    query: (question: Question, signal: AbortSignal) => json<AnswerBody>('/v1/query', post(question, signal)),

    poolStatus: () => read<PoolReportBody>('/monitoring/pool-status'),
    databaseStats: () => read<DatabaseStatsBody>('/monitoring/database-stats'),
    queues: () => read<QueueReportBody>('/monitoring/queues'),
    scaling: () => read<ScalingBody>('/monitoring/scaling'),

    /** Not ready is an answer, too. */
    async readiness(): Promise<Readiness> {
      const response = await fetch('/readyz', { signal: AbortSignal.timeout(readTimeoutMs) }).catch(
        (cause) => {
          throw noticed(new ApiError('unreachable', strings.value.errors.unreachable, { status: 0, cause }));
        },
      );
      return (await response.json()) as Readiness;
    },

    /** Server-sent events of an upload. By fetch, because EventSource cannot send the key. */
    openEvents: (id: string, signal: AbortSignal) =>
      call(`/v1/uploads/${id}/events`, { headers: { accept: 'text/event-stream' }, signal }),

    /**
     * @param key sent again with the same one, the file is not taken twice
     * @param onSent is told the share of the bytes that have left, 0 to 1
     */
    async sendFile(
      file: File,
      fields: FileFields,
      key: string,
      onSent: (share: number) => void,
      signal: AbortSignal,
    ) {
      const form = new FormData();
      // Fields hold for the files that follow them.
      form.append('collection', fields.collection);
      form.append('name', fields.name);
      if (fields.externalId !== undefined) form.append('external_id', fields.externalId);
      if (fields.metadata !== undefined) form.append('metadata', JSON.stringify(fields.metadata));
      form.append('file', file, file.name);
      const sent = { ...headers(), 'idempotency-key': key };
      const answer = await sendForm('/v1/uploads', form, sent, onSent, signal).catch((error) => {
        throw error instanceof ApiError ? noticed(error) : error;
      });
      if (answer.status !== 202) throw noticed(errorOf(answer.status, answer.body, answer.retryAfter));
      return JSON.parse(answer.body) as { uploads: UploadBody[] };
    },
  };
}
