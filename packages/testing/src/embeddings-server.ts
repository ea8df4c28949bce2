import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEmbeddingsLimits, type EmbeddingsLimitOptions } from './embeddings-limits.ts';

/** What the server does wrong with one request. */
type EmbeddingsFault =
  /** Answers an error of this status; `retryAfter` is the header as sent (seconds or a date). */
  | {
      kind: 'status';
      status: number;
      retryAfter?: string;
      code?: string;
      message?: string;
      headers?: Readonly<Record<string, string>>;
    }
  /** Answers correctly, with these headers. */
  | { kind: 'headers'; headers: Readonly<Record<string, string>> }
  /** Answers correctly, but this much later. */
  | { kind: 'slow'; ms: number }
  /** Sends the head and half of the body, waits, and sends nothing more. */
  | { kind: 'stall' }
  /** Sends the head and half of the body, then destroys the connection. */
  | { kind: 'cut' }
  /** Destroys the connection before any answer. */
  | { kind: 'refuse' }
  /** Vectors of this length. */
  | { kind: 'wrong_dimensions'; dimensions: number }
  /** The vector of this text has a NaN, or `null` where vectors are sent as JSON numbers. */
  | { kind: 'nan'; index: number }
  /** Leaves the last text out. */
  | { kind: 'missing' }
  /** Correct items in reversed order. */
  | { kind: 'reordered' }
  /** Status 200 and this body. */
  | { kind: 'body'; body: string; contentType?: string };

interface RecordedEmbeddingsRequest {
  readonly texts: readonly string[];
  readonly model: string;
  readonly encodingFormat: string | undefined;
  readonly dimensions: number | undefined;
  readonly authorization: string | undefined;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** Requests being answered when this one came in, itself among them. */
  readonly concurrent: number;
  /** Whether the client gave up before the answer was complete. */
  aborted: boolean;
}

interface EmbeddingsServerOptions {
  /** Length of the vectors unless the request asks for another. Default 384. */
  dimensions?: number;
  /** Requests with another bearer token get 401. Default: anything goes. */
  apiKey?: string;
  /** Answers JSON numbers whatever `encoding_format` says, as some compatible servers do. Default false. */
  floatsOnly?: boolean;
  /** More texts than this in one request get 400. Default 2048. */
  maxTexts?: number;
  /** Time that every answer takes, in milliseconds. Default 0. */
  latencyMs?: number;
  /** Enforced with 429, and told in the headers of every answer. Default none. */
  limits?: EmbeddingsLimitOptions;
}

export interface EmbeddingsServer extends AsyncDisposable {
  /** What the `openai` package wants as `baseURL`: ends in `/v1`. */
  readonly baseUrl: string;
  readonly requests: readonly RecordedEmbeddingsRequest[];
  /** Each fault spoils one of the next requests, in this order; `undefined` lets one pass. */
  failNext(...faults: (EmbeddingsFault | undefined)[]): void;
  /** Asked for every request that `failNext` has nothing for. */
  failWhen(rule: (texts: readonly string[]) => EmbeddingsFault | undefined): void;
  /** The vector that this text gets: unit length, a function of the text alone. */
  vectorOf(text: string, dimensions?: number): Float32Array;
  close(): Promise<void>;
}

/** A real HTTP server on a free port of 127.0.0.1 that speaks the OpenAI embeddings protocol, with faults on demand. */
export async function startEmbeddingsServer(
  options: EmbeddingsServerOptions = {},
): Promise<EmbeddingsServer> {
  const requests: RecordedEmbeddingsRequest[] = [];
  const queued: (EmbeddingsFault | undefined)[] = [];
  const limits = options.limits && createEmbeddingsLimits(options.limits);
  const defaultDimensions = options.dimensions ?? 384;
  let rule: (texts: readonly string[]) => EmbeddingsFault | undefined = () => undefined;
  let answering = 0;

  const server = createServer((request, response) => {
    answering += 1;
    // A client that goes away in mid-answer is what some tests are about.
    answer(request, response)
      .catch(() => response.destroy())
      .finally(() => {
        answering -= 1;
      });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const receivedAt = Date.now();
    const concurrent = answering;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method !== 'POST' || request.url !== '/v1/embeddings') {
      return sendError(response, { status: 404, message: `No route ${request.method} ${request.url}` });
    }
    const { authorization } = request.headers;
    if (options.apiKey !== undefined && authorization !== `Bearer ${options.apiKey}`) {
      return sendError(response, { status: 401, message: `Incorrect API key provided: ${authorization}` });
    }
    const body = parseBody(Buffer.concat(chunks).toString());
    if (body === undefined) return sendError(response, { status: 400, message: 'Invalid request body' });
    const { texts } = body;
    const recorded = { ...body, authorization, receivedAt, concurrent, aborted: false };
    requests.push(recorded);
    response.once('close', () => {
      recorded.aborted = !response.writableFinished;
    });
    if (texts.length > (options.maxTexts ?? 2048)) {
      return sendError(response, { status: 400, message: `Too many inputs: ${texts.length}` });
    }
    const verdict = limits?.admit(tokensOf(texts));
    setHeaders(response, verdict?.headers);
    if (verdict?.admitted === false)
      return sendError(response, { status: 429, message: 'Rate limit reached' });
    await respond(response, body, queued.length > 0 ? queued.shift() : rule(texts));
  }

  async function respond(
    response: ServerResponse,
    body: RequestBody,
    fault: EmbeddingsFault | undefined,
  ): Promise<void> {
    if (fault?.kind === 'refuse') {
      response.destroy();
      return;
    }
    const wait = (options.latencyMs ?? 0) + (fault?.kind === 'slow' ? fault.ms : 0);
    if (wait > 0) await sleep(wait);
    if (fault?.kind === 'status') return sendError(response, fault);
    if (fault?.kind === 'body') return send(response, 200, fault.body, fault.contentType);
    if (fault?.kind === 'headers') setHeaders(response, fault.headers);
    const asBase64 = body.encodingFormat === 'base64' && options.floatsOnly !== true;
    const text = JSON.stringify(embeddingsAnswer(body, defaultDimensions, asBase64, fault));
    if (fault?.kind !== 'cut' && fault?.kind !== 'stall') return send(response, 200, text);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    await new Promise<void>((resolve) => response.write(text.slice(0, text.length / 2), () => resolve()));
    if (fault.kind === 'cut') response.destroy();
    else await once(response, 'close');
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    failNext: (...faults) => void queued.push(...faults),
    failWhen: (newRule) => {
      rule = newRule;
    },
    vectorOf: (text, dimensions = defaultDimensions) => pseudoVector(text, dimensions),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface RequestBody {
  texts: string[];
  model: string;
  encodingFormat: string | undefined;
  dimensions: number | undefined;
}

function parseBody(json: string): RequestBody | undefined {
  try {
    const { input, model, encoding_format: encodingFormat, dimensions } = JSON.parse(json);
    const texts: unknown[] = Array.isArray(input) ? input : [input];
    // OpenAI refuses empty strings as well.
    const valid = texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== '');
    return valid && typeof model === 'string'
      ? { texts: texts as string[], model, encodingFormat, dimensions }
      : undefined;
  } catch {
    return undefined;
  }
}

function embeddingsAnswer(
  { texts, model, dimensions }: RequestBody,
  defaultDimensions: number,
  asBase64: boolean,
  fault: EmbeddingsFault | undefined,
): object {
  const length = fault?.kind === 'wrong_dimensions' ? fault.dimensions : (dimensions ?? defaultDimensions);
  let data = texts.map((text, index) => {
    const vector = pseudoVector(text, length);
    if (fault?.kind === 'nan' && fault.index === index) vector[0] = Number.NaN;
    const embedding = asBase64 ? Buffer.from(vector.buffer).toString('base64') : Array.from(vector);
    return { object: 'embedding', index, embedding };
  });
  if (fault?.kind === 'missing') data = data.slice(0, -1);
  if (fault?.kind === 'reordered') data.reverse();
  const tokens = tokensOf(texts);
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function tokensOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function sendError(
  response: ServerResponse,
  error: Omit<Extract<EmbeddingsFault, { kind: 'status' }>, 'kind'>,
): void {
  const { status, retryAfter, code = null, message = `Status ${status} on demand`, headers } = error;
  setHeaders(response, headers);
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  send(response, status, JSON.stringify({ error: { message, type: 'error', param: null, code } }));
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'application/json',
): void {
  response.writeHead(status, { 'content-type': contentType, 'x-request-id': 'req_test' });
  response.end(body);
}

/** Seeded by the text (FNV-1a), then xorshift32: independent of the providers that are tested against it. */
function pseudoVector(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  state = state === 0 ? 1 : state;
  const values = Array.from({ length: dimensions }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}
