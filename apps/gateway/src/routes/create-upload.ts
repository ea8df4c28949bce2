import type { Readable } from 'node:stream';
import {
  textUploadSchema,
  type UploadOptions,
  uploadHeadersSchema,
  uploadOptionsSchema,
  uploadRequestSchema,
  urlUploadSchema,
} from '@sluice/contract';
import {
  createUploadBatch,
  type IncomingFile,
  requireRoomInBatch,
  type UploadBatch,
} from '@sluice/ingestion';
import type { Fetcher } from '@sluice/outbound';
import { currentTraceparent } from '@sluice/telemetry';
import express, { type Request, type RequestHandler } from 'express';
import type { Caller } from '../access/caller.ts';
import { HttpProblem } from '../http-problem.ts';
import { readMultipart } from '../multipart.ts';
import { presentUpload } from '../present.ts';
import { requireCollection, type Services } from '../services.ts';
import { validate } from '../validate.ts';
import { enqueueUploads } from './enqueue-uploads.ts';
import { requireBatch } from './require-batch.ts';

// A JSON text is held in memory while it is parsed; larger documents come as files.
const maxJsonBytes = 8 * 1_048_576;

type Fields = Record<string, string>;
type Receive = (
  fields: UploadOptions,
  file: Pick<IncomingFile, 'fileName' | 'mediaType' | 'source' | 'bytes'>,
) => Promise<void>;

/** Fields as they come in a form or a URL: objects are JSON in them. */
function parseFields(fields: Fields): UploadOptions {
  const value: Record<string, unknown> = { ...fields };
  for (const name of ['metadata', 'chunking']) {
    if (fields[name] === undefined) continue;
    try {
      value[name] = JSON.parse(fields[name]);
    } catch (error) {
      const message = `expected a JSON object: ${(error as Error).message}`;
      throw new HttpProblem('invalid_request', `/${name}: ${message}`, {
        errors: [{ path: `/${name}`, message }],
      });
    }
  }
  return validate(uploadOptionsSchema, value);
}

async function receiveMultipart(request: Request, maxFiles: number, receive: Receive): Promise<void> {
  const fields: Fields = queryFields(request);
  let files = 0;
  for await (const part of readMultipart(request, { maxFiles })) {
    if (part.kind === 'field') {
      fields[part.name] = part.value;
      continue;
    }
    files += 1;
    await receive(parseFields(fields), part);
    // These name one document; the next file is another.
    delete fields.external_id;
    delete fields.name;
  }
  if (files === 0)
    throw new HttpProblem('no_file', 'the form has no file: send one as in "curl -F file=@report.pdf"');
}

function queryFields(request: Request): Fields {
  const entries = Object.entries(request.query).filter(
    // What holds for the whole request is read apart.
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && !Object.hasOwn(uploadRequestSchema.shape, entry[0]),
  );
  return Object.fromEntries(entries);
}

const textTypes = { text: 'text/plain', markdown: 'text/markdown', html: 'text/html' };

async function* oneBuffer(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text, 'utf8');
}

async function receiveJson(request: Request, fetcher: Fetcher, receive: Receive): Promise<void> {
  if (typeof request.body === 'object' && 'url' in request.body) return receiveUrl(request, fetcher, receive);
  const { text, format, ...options } = validate(textUploadSchema, request.body);
  await receive(options, {
    fileName: undefined,
    mediaType: `${textTypes[format]}; charset=utf-8`,
    bytes: oneBuffer(text),
  });
}

/** The document is here before the answer is: 202 means the same for a URL as for a file. */
async function receiveUrl(request: Request, fetcher: Fetcher, receive: Receive): Promise<void> {
  const { url, ...options } = validate(urlUploadSchema, request.body);
  const gone = new AbortController();
  const onClose = () => gone.abort(new HttpProblem('invalid_request', 'the request was given up'));
  request.socket.once('close', onClose);
  try {
    using file = await fetcher.fetch(url, gone.signal);
    const { fileName, mediaType, bytes } = file;
    await receive(options, { fileName, mediaType, bytes, source: url });
  } finally {
    request.socket.off('close', onClose);
  }
}

async function receiveRaw(request: Request, maxBytes: number, receive: Receive): Promise<void> {
  const mediaType = request.get('content-type');
  if (mediaType?.startsWith('application/x-www-form-urlencoded')) {
    const detail =
      'send a file as multipart ("curl -F file=@report.pdf") or raw with its own Content-Type ("--data-binary @report.pdf")';
    throw new HttpProblem('unsupported_media_type', detail);
  }
  const length = Number(request.get('content-length') ?? Number.NaN);
  if (length === 0 || (Number.isNaN(length) && !request.get('transfer-encoding'))) {
    throw new HttpProblem('no_file', 'the request has no body: send a file as in "curl -F file=@report.pdf"');
  }
  if (length > maxBytes) {
    throw new HttpProblem('file_too_large', `the body has ${length} bytes, the limit is ${maxBytes}`, {
      limit: maxBytes,
      given: length,
    });
  }
  const options = parseFields(queryFields(request));
  await receive(options, { fileName: options.name, mediaType, bytes: request as Readable });
}

/** Of each managed key its own: nobody is answered with the uploads of another. No request can have a blank in its key. */
function ownKey(idempotencyKey: string | undefined, { managed, keyId }: Caller): string | undefined {
  return idempotencyKey && managed ? `${keyId} ${idempotencyKey}` : idempotencyKey;
}

/** Thin: streams what arrives into the domain, and tells the queue what was accepted. */
export function createUpload(services: Services): RequestHandler[] {
  const { pool, catalog, backlog, fetcher, webhooks, log, limits } = services;

  async function receiveAll(request: Request, batch: UploadBatch): Promise<void> {
    const receive: Receive = async (options, file) => {
      const collection = await requireCollection(catalog, options.collection, request.caller);
      await batch.receive({
        ...file,
        collection,
        externalId: options.external_id,
        name: options.name,
        metadata: options.metadata,
        priority: options.priority,
        chunking: options.chunking && {
          maxTokens: options.chunking.max_tokens,
          overlapTokens: options.chunking.overlap_tokens,
        },
      });
    };
    if (request.is('multipart/form-data')) await receiveMultipart(request, limits.maxUploadFiles, receive);
    else if (request.is('application/json')) await receiveJson(request, fetcher, receive);
    else await receiveRaw(request, limits.maxUploadBytes, receive);
  }

  /** Refuses before the files have come what would be refused after; a repeated request may be one that has filled the batch. */
  async function requireOpenBatch(
    id: string,
    caller: Caller,
    idempotencyKey: string | undefined,
  ): Promise<void> {
    const { cancelledAt, counts } = await requireBatch(pool, id, caller);
    if (idempotencyKey) return;
    requireRoomInBatch(id, { cancelled: cancelledAt !== null, uploads: counts.total }, 1);
  }

  const accept: RequestHandler = async (request, response) => {
    const { 'Idempotency-Key': idempotencyKey } = validate(uploadHeadersSchema, {
      'Idempotency-Key': request.get('idempotency-key'),
    });
    const { query } = request;
    const said = validate(uploadRequestSchema, { batch: query.batch, webhook: query.webhook });
    const { batch: batchId, webhook: webhookUrl } = said;
    if (webhookUrl) webhooks.check(webhookUrl);
    await backlog.requireRoom();
    const announced = Number(request.get('content-length') ?? 0);
    await using reservation = await services.quotas.reserve(response, announced);
    if (batchId) await requireOpenBatch(batchId, request.caller, idempotencyKey);
    await using batch = createUploadBatch({
      db: pool.lane('interactive'),
      idempotencyKey: ownKey(idempotencyKey, request.caller),
      batchId,
      webhookUrl: webhookUrl ?? webhooks.defaultUrl,
      maxBytes: limits.maxUploadBytes,
      requestId: request.id,
      traceparent: currentTraceparent(),
    });
    await receiveAll(request, batch);
    const { uploads, replayed } = await batch.accept();
    const bytes = uploads.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await reservation.settle(replayed ? { uploads: 0, bytes: 0 } : { uploads: uploads.length, bytes });
    enqueueUploads(
      services,
      uploads.filter(({ state }) => state === 'queued').map(({ id, turn }) => ({ id, turn: turn ?? 1 })),
      request.id,
    );
    for (const { id, fileName, format, sizeBytes, unchanged } of uploads) {
      log.info(
        {
          request_id: request.id,
          upload_id: id,
          file: fileName,
          format,
          bytes: sizeBytes,
          unchanged,
          replayed,
        },
        'upload accepted',
      );
    }
    if (replayed) response.set('idempotent-replayed', 'true');
    if (uploads.length === 1) response.location(`/v1/uploads/${uploads[0]?.id}`);
    response.status(202).json({ uploads: uploads.map(presentUpload) });
  };
  return [express.json({ limit: maxJsonBytes }), accept];
}
