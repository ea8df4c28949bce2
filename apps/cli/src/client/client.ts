import type {
  AnswerBody,
  DatabaseStatsBody,
  PoolReportBody,
  Problem,
  QualityBody,
  QueueReportBody,
  Readiness,
  ScalingBody,
  UploadBody,
} from '@sluice/contract';
import { CliError } from '../errors.ts';
import { problemError } from './problem.ts';

export interface ClientOptions {
  /** Where the gateway is, e.g. `http://127.0.0.1:3000`. */
  url: string;
  key: string | undefined;
}

export interface Client {
  readonly url: string;
  /** `onSent` is told how many bytes of the body have gone out so far. Resolves once the server has the file safe. */
  upload(form: FormData, onSent?: (bytes: number) => void): Promise<UploadBody>;
  status(upload: UploadBody): Promise<UploadBody>;
  /** Server-sent events of one upload. */
  events(upload: UploadBody, signal: AbortSignal): Promise<Response>;
  query(body: object): Promise<AnswerBody>;
  /** Any other request, with a body of JSON where there is one. */
  request<T>(method: string, path: string, body?: object): Promise<T>;
  /** Compares `sample` queries with exact search, now. */
  measureQuality(collection: string, sample: number): Promise<QualityBody>;
  /** Also when it is not ready. */
  readiness(): Promise<Readiness>;
  monitoring(): Promise<MonitoringReports>;
  findUpload(id: string): Promise<UploadBody>;
}

/** All that a gateway tells operators, read at once. */
export interface MonitoringReports {
  pool: PoolReportBody;
  database: DatabaseStatsBody;
  queues: QueueReportBody;
  scaling: ScalingBody;
}

type Init = RequestInit & { duplex?: 'half' };

/** fetch says only that it failed; the reason, such as ECONNREFUSED, is in its cause. */
function reasonOf({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return cause.message || message;
}

/** Undefined for errors of others, such as a proxy, that are JSON as well. */
async function readProblem(response: Response): Promise<Problem | undefined> {
  const body = (await response.json().catch(() => null)) as Partial<Problem> | null;
  return typeof body?.code === 'string' && typeof body.detail === 'string' ? (body as Problem) : undefined;
}

export function createClient({ url, key }: ClientOptions): Client {
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};

  async function call(path: string, init: Init = {}): Promise<Response> {
    const response = await send(path, init);
    if (response.ok) return response;
    throw problemError(response, await readProblem(response), new URL(path, url));
  }

  async function send(path: string, init: Init): Promise<Response> {
    const target = new URL(path, url);
    const request = { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } };
    return fetch(target, request).catch((cause: Error) => {
      if (cause.name === 'AbortError') throw cause;
      // A file that changes while it is read fails here too, and then the server is not to blame.
      const { name, message, code } = (cause.cause ?? cause) as NodeJS.ErrnoException;
      if (name === 'NotReadableError') {
        throw new CliError('request_refused', `the file cannot be read to its end: ${message}`, { cause });
      }
      if (code === 'EPIPE') {
        throw new CliError('hung_up', `${target.origin} hung up before it had read all of the file`, {
          cause,
          advice: ['It may be over the limit of the server, or of a proxy in between.'],
        });
      }
      throw new CliError('server_unreachable', `no answer from ${target.origin} (${reasonOf(cause)})`, {
        cause,
        advice: [
          'Is Sluice running there? Start it with `npm start`, or give its address: --url or SLUICE_URL.',
        ],
      });
    });
  }

  async function json<T>(answer: Promise<Response>): Promise<T> {
    const response = await answer;
    if (response.headers.get('content-type')?.includes('json')) return (await response.json()) as T;
    throw new CliError('unexpected_answer', `${response.url} did not answer like Sluice does`, {
      advice: ['Does another program listen there? Check --url or SLUICE_URL.'],
    });
  }

  return {
    url,
    async upload(form, onSent = () => {}) {
      // Encoded here and not by fetch, so that the bytes can be counted on their way out.
      const encoded = new Response(form);
      let sent = 0;
      const counted = (encoded.body as ReadableStream<Uint8Array>).pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            sent += chunk.byteLength;
            onSent(sent);
            controller.enqueue(chunk);
          },
        }),
      );
      const accepted = await json<{ uploads: UploadBody[] }>(
        call('/v1/uploads', {
          method: 'POST',
          body: counted,
          duplex: 'half',
          headers: { 'content-type': encoded.headers.get('content-type') as string },
        }),
      );
      const [upload] = accepted.uploads;
      if (!upload) throw new CliError('unexpected_answer', 'the server took the file but named no upload');
      return upload;
    },
    status: (upload) => json(call(upload.status_url)),
    events: (upload, signal) => call(upload.events_url, { headers: { accept: 'text/event-stream' }, signal }),
    measureQuality: (collection, sample) =>
      json(
        call(`/v1/collections/${encodeURIComponent(collection)}/quality`, {
          method: 'POST',
          body: JSON.stringify({ sample }),
          headers: { 'content-type': 'application/json' },
        }),
      ),
    readiness: () => json(send('/readyz', {})),
    async monitoring() {
      const [pool, database, queues, scaling] = await Promise.all([
        json<PoolReportBody>(call('/monitoring/pool-status')),
        json<DatabaseStatsBody>(call('/monitoring/database-stats')),
        json<QueueReportBody>(call('/monitoring/queues')),
        json<ScalingBody>(call('/monitoring/scaling')),
      ]);
      return { pool, database, queues, scaling };
    },
    findUpload: (id) => json(call(`/v1/uploads/${encodeURIComponent(id)}`)),
    request: (method, path, body) =>
      json(
        call(path, {
          method,
          ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        }),
      ),
    query: (body) =>
      json(
        call('/v1/query', {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      ),
  };
}
