import type { AnswerBody, HitBody as Hit, UploadBody as Upload } from '@sluice/contract';

export type { Hit, Upload };

export interface NewUpload {
  collection: string;
  externalId: string;
  metadata: Record<string, unknown>;
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** `unreachable`: nobody listens at the address, or the connection broke. `refused`: the server answered with an error of its own. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: 'unreachable' | 'refused';
  /** HTTP status, when the server answered. */
  readonly status: number | undefined;

  constructor(code: ClientError['code'], message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status;
  }
}

export type Client = ReturnType<typeof createClient>;

/** @param options.key sent as a bearer token when given */
export function createClient({ url, key }: { url: string; key?: string | undefined }) {
  const headers = key ? { authorization: `Bearer ${key}` } : undefined;

  /** `subject` is added to the message of an error, where the path doesn't tell what it was about. */
  async function call<T>(path: string, init: RequestInit = {}, subject = ''): Promise<T> {
    const target = new URL(path, url);
    const request = new Request(target, { ...init, headers: { ...headers, ...(init.headers as object) } });
    const response = await fetch(request).catch((cause: Error) => {
      const why = reason(cause);
      const message = `No answer from ${target.origin} (${why}). Is Sluice running? Start it with: npm start`;
      throw new ClientError('unreachable', message, { cause });
    });
    if (!response.ok)
      throw await refusal(response, [request.method, target.pathname, subject].join(' ').trim());
    return (await response.json()) as T;
  }

  const post = <T>(path: string, body: object) =>
    call<T>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  return {
    /** Makes the collection unless it is there. */
    async ensureCollection(name: string): Promise<void> {
      try {
        await post('/v1/collections', { name });
      } catch (error) {
        if (!(error instanceof ClientError && error.status === 409)) throw error;
      }
    },

    /** Resolves once the server has the upload safe; it isn't searchable before its state is `ready`. */
    async upload({ collection, externalId, metadata, name, bytes }: NewUpload): Promise<Upload> {
      const form = new FormData();
      // Fields that describe a file come before it: the server reads the request as it streams in.
      form.set('collection', collection);
      form.set('external_id', externalId);
      form.set('metadata', JSON.stringify(metadata));
      form.set('file', new File([bytes], name));
      const { uploads } = await call<{ uploads: Upload[] }>(
        '/v1/uploads',
        { method: 'POST', body: form },
        `of ${name}`,
      );
      const [upload] = uploads;
      if (!upload) throw new ClientError('refused', `The server took ${name} but named no upload.`);
      return upload;
    },

    status: (upload: Pick<Upload, 'status_url'>) => call<Upload>(upload.status_url),

    async query(query: { query: string; collection: string; k: number }): Promise<Hit[]> {
      const { results } = await post<AnswerBody>('/v1/query', { ...query, mode: 'vector' });
      return results;
    },
  };
}

/** fetch says only that it failed; the reason, such as ECONNREFUSED, is in its cause. */
function reason({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  return 'code' in cause ? String(cause.code) : cause.message;
}

async function refusal(response: Response, what: string): Promise<ClientError> {
  const body = await response.text();
  return new ClientError('refused', `${what} was answered ${response.status}: ${explain(body)}`, {
    status: response.status,
  });
}

/** The detail of a problem document, or the start of whatever came instead. */
function explain(body: string): string {
  try {
    const problem = JSON.parse(body) as { title?: string; detail?: string };
    const told = problem.detail ?? problem.title;
    if (told) return told;
  } catch {
    // Not JSON: a proxy, or another program at that port.
  }
  return body.slice(0, 200) || 'no explanation given';
}
