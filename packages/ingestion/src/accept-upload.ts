import { createHash, type Hash } from 'node:crypto';
import { detectFormat } from '@sluice/extraction';
import { type Lane, sqlState, type Transaction } from '@sluice/pool';
import {
  acceptUploads,
  assignTurns,
  type Collection,
  discardUploads,
  findUploads,
  insertPart,
  insertUpload,
  joinBatch,
  type KeyedRequest,
  type NewUpload,
  type Priority,
  partBytes,
  type ReceivedUpload,
  settleUnchanged,
  takeIdempotencyKey,
  type Upload,
} from '@sluice/store';
import { v7 as uuid } from 'uuid';
import { requireRoomInBatch } from './batch-room.ts';
import { IngestionError } from './errors.ts';
import { createSmallFiles } from './small-files.ts';

export interface IncomingFile {
  collection: Collection;
  fileName: string | undefined;
  /** As declared by the sender; the content decides. */
  mediaType: string | undefined;
  /** Default: generated, so the upload makes a new document. */
  externalId: string | undefined;
  /** Name of the document. Default: the file's. */
  name: string | undefined;
  metadata: Record<string, unknown>;
  chunking: { maxTokens: number; overlapTokens: number } | undefined;
  priority: Priority;
  /** Where the bytes are fetched from, when it is that which a repeated request would say, and not the bytes. */
  source?: string;
  bytes: AsyncIterable<Buffer>;
}

/**
 * The uploads of one request. Bytes go to Postgres part by part while they arrive, so that neither memory nor a
 * transaction grows with a file or waits for a slow sender. Nothing of it counts until `accept`: that is one
 * transaction for all files, and what was received without it is removed.
 */
export interface UploadBatch extends AsyncDisposable {
  /** Throws `IngestionError` (`collection_gone`, `empty_file`, `file_too_large`) or `ExtractionError` (`unknown_format`). */
  receive(file: IncomingFile): Promise<void>;
  /**
   * Makes all received uploads durable. One whose document has exactly this version live is ready at once. Throws
   * `IngestionError` (`collection_gone`, `idempotency_key_reused`, `batch_not_found`, `batch_cancelled`, `batch_full`).
   */
  accept(): Promise<AcceptedUploads>;
}

export interface AcceptedUploads {
  /** In the order in which they came. */
  uploads: Upload[];
  /** A request with the same idempotency key had brought them before; nothing of this one was kept. */
  replayed: boolean;
}

export interface UploadBatchOptions {
  db: Lane;
  maxBytes: number;
  requestId: string | null;
  /** Two requests with the same one are the same request. */
  idempotencyKey?: string | undefined;
  /** The batch that the uploads belong to. */
  batchId?: string | undefined;
  /** Who is told when one of the uploads ends. */
  webhookUrl?: string | undefined;
  /** Of the request, by W3C Trace Context: jobs that have to be made anew go on with it. */
  traceparent?: string | undefined;
}

// As much as format detection looks at.
const sniffBytes = 4_096;
const longestName = 512;

/** As it can be stored and shown: senders choose it, and a byte of 0 is text for nobody. */
function cleanFileName(fileName = ''): string {
  return fileName
    .replace(/\p{Cc}/gu, '')
    .toWellFormed()
    .trim()
    .slice(0, longestName);
}

function collectionGone(options?: ErrorOptions): IngestionError {
  const message = 'the collection was deleted before the upload was accepted';
  return new IngestionError('collection_gone', message, {}, options);
}

// A row refers to one that is not there.
const foreignKeyViolation = '23503';

/** Of a collection that is deleted the uploads go too, also those that are still arriving. */
function throwWhatItMeans(error: unknown): never {
  throw sqlState(error) === foreignKeyViolation ? collectionGone({ cause: error }) : error;
}

/** Regroups a stream into parts of exactly `partBytes`, the last one shorter. */
async function* intoParts(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (let chunk of bytes) {
    while (size + chunk.length >= partBytes) {
      const rest = partBytes - size;
      yield Buffer.concat([...pending, chunk.subarray(0, rest)]);
      chunk = chunk.subarray(rest);
      pending = [];
      size = 0;
    }
    if (chunk.length > 0) pending.push(chunk);
    size += chunk.length;
  }
  if (size > 0) yield Buffer.concat(pending);
}

export function createUploadBatch({
  db,
  maxBytes,
  requestId,
  idempotencyKey,
  batchId,
  webhookUrl,
  traceparent,
}: UploadBatchOptions): UploadBatch {
  const begun: string[] = [];
  const received: ReceivedUpload[] = [];
  const small = createSmallFiles(db, (ids) => begun.push(...ids));
  const fingerprint = createHash('sha256').update(batchId ?? '');
  let accepted = false;

  function describe(id: string, file: IncomingFile, head: Buffer): NewUpload {
    const { collection, fileName, mediaType, metadata, chunking } = file;
    const format = detectFormat({ fileName, mediaType, head: head.subarray(0, sniffBytes) });
    const documentId = uuid();
    return {
      id,
      collectionId: collection.id,
      documentId,
      externalId: file.externalId ?? documentId,
      fileName: file.name ?? (cleanFileName(fileName) || `untitled ${format}`),
      format,
      metadata,
      chunkMaxTokens: chunking?.maxTokens ?? collection.chunkMaxTokens,
      chunkOverlapTokens: chunking?.overlapTokens ?? collection.chunkOverlapTokens,
      priority: file.priority,
      requestId,
    };
  }

  async function begin(upload: NewUpload): Promise<void> {
    // Uploads are numbered in the order in which they are written, and of two versions the later one wins.
    await small.flush();
    begun.push(upload.id);
    await insertUpload(db, upload);
  }

  function tooLarge(fileName: string | undefined): IngestionError {
    const message = `${fileName ?? 'the file'} is larger than ${maxBytes} bytes, the limit for one file`;
    return new IngestionError('file_too_large', message, { file: fileName, limit: maxBytes });
  }

  async function store(id: string, file: IncomingFile, hash: Hash): Promise<number> {
    let size = 0;
    let part = 0;
    for await (const bytes of intoParts(file.bytes)) {
      size += bytes.length;
      if (size > maxBytes) throw tooLarge(file.fileName);
      hash.update(bytes);
      const upload = part === 0 ? describe(id, file, bytes) : undefined;
      // A first part that is not full is the only one.
      if (upload && bytes.length < partBytes) await small.add(upload, bytes);
      else {
        if (upload) await begin(upload);
        await insertPart(db, id, part, bytes);
      }
      part += 1;
    }
    return size;
  }

  /** Everything of a file that the request has said; a page that is fetched again may be another, and the request the same. */
  function addToFingerprint(file: IncomingFile, contentHash: Buffer): void {
    const { source, collection, fileName, mediaType, externalId, name, metadata, chunking, priority } = file;
    const found = source ? [source] : [fileName, mediaType];
    const said = [collection.id, ...found, externalId, name, metadata, chunking, priority];
    fingerprint.update(JSON.stringify(said));
    if (!source) fingerprint.update(contentHash);
  }

  async function acceptOrFind(transaction: Transaction, made: Buffer): Promise<KeyedRequest | undefined> {
    const own = { fingerprint: made, uploadIds: received.map(({ id }) => id) };
    const earlier = idempotencyKey && (await takeIdempotencyKey(transaction, idempotencyKey, own));
    if (!earlier) {
      if (batchId) requireRoomInBatch(batchId, await joinBatch(transaction, batchId), received.length);
      const count = await acceptUploads(transaction, received, { batchId, webhookUrl, traceparent });
      if (count < received.length) throw collectionGone();
      await settleUnchanged(transaction, own.uploadIds);
      await assignTurns(transaction, own.uploadIds);
      return undefined;
    }
    if (earlier.fingerprint.equals(made)) return earlier;
    throw new IngestionError(
      'idempotency_key_reused',
      'another request has used this Idempotency-Key for other files or options: send a new key with each new request',
    );
  }

  return {
    async receive(file) {
      const id = uuid();
      const hash = createHash('sha256');
      const sizeBytes = await store(id, file, hash).catch(throwWhatItMeans);
      if (sizeBytes === 0) {
        throw new IngestionError('empty_file', `${file.fileName ?? 'the file'} is empty`, {
          file: file.fileName,
        });
      }
      const contentHash = hash.digest();
      addToFingerprint(file, contentHash);
      received.push({ id, sizeBytes, contentHash });
    },
    async accept() {
      // A transaction may run again after a conflict, and a hash is made once.
      const made = fingerprint.digest();
      await small.flush().catch(throwWhatItMeans);
      const earlier = await db.transaction((transaction) => acceptOrFind(transaction, made));
      accepted = earlier === undefined;
      const ids = earlier?.uploadIds ?? received.map(({ id }) => id);
      const uploads = await findUploads(db, ids);
      return { uploads: uploads.sort((a, b) => a.sequence - b.sequence), replayed: earlier !== undefined };
    },
    async [Symbol.asyncDispose]() {
      if (accepted || begun.length === 0) return;
      // Best effort: what is left is swept up with other requests that never arrived whole.
      await discardUploads(db, begun).catch(() => {});
    },
  };
}
