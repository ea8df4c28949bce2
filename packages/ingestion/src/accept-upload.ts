import { createHash, type Hash } from 'node:crypto';
import { detectFormat } from '@sluice/extraction';
import type { Lane } from '@sluice/pool';
import {
  acceptUpload,
  type Collection,
  discardUploads,
  findUploads,
  insertPart,
  insertUpload,
  partBytes,
  type ReceivedUpload,
  type Upload,
} from '@sluice/store';
import { v7 as uuid } from 'uuid';
import { IngestionError } from './errors.ts';

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
  bytes: AsyncIterable<Buffer>;
}

/**
 * The uploads of one request. Bytes go to Postgres part by part while they arrive, so that neither memory nor a
 * transaction grows with a file or waits for a slow sender. Nothing of it counts until `accept`: that is one
 * transaction for all files, and what was received without it is removed.
 */
export interface UploadBatch extends AsyncDisposable {
  /** Throws `IngestionError` (`empty_file`, `file_too_large`) or `ExtractionError` (`unknown_format`). */
  receive(file: IncomingFile): Promise<void>;
  /** Makes all received uploads durable; in the order in which they came. */
  accept(): Promise<Upload[]>;
}

export interface UploadBatchOptions {
  db: Lane;
  maxBytes: number;
  requestId: string | null;
}

// As much as format detection looks at.
const sniffBytes = 4_096;

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

export function createUploadBatch({ db, maxBytes, requestId }: UploadBatchOptions): UploadBatch {
  const begun: string[] = [];
  const received: ReceivedUpload[] = [];
  let accepted = false;

  async function begin(id: string, file: IncomingFile, head: Buffer): Promise<void> {
    const { collection, fileName, mediaType, metadata, chunking } = file;
    const format = detectFormat({ fileName, mediaType, head: head.subarray(0, sniffBytes) });
    const documentId = uuid();
    begun.push(id);
    await insertUpload(db, {
      id,
      collectionId: collection.id,
      documentId,
      externalId: file.externalId ?? documentId,
      fileName: file.name ?? fileName ?? `untitled ${format}`,
      format,
      metadata,
      chunkMaxTokens: chunking?.maxTokens ?? collection.chunkMaxTokens,
      chunkOverlapTokens: chunking?.overlapTokens ?? collection.chunkOverlapTokens,
      requestId,
    });
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
      if (part === 0) await begin(id, file, bytes);
      await insertPart(db, id, part, bytes);
      hash.update(bytes);
      part += 1;
    }
    return size;
  }

  return {
    async receive(file) {
      const id = uuid();
      const hash = createHash('sha256');
      const sizeBytes = await store(id, file, hash);
      if (sizeBytes === 0) {
        throw new IngestionError('empty_file', `${file.fileName ?? 'the file'} is empty`, {
          file: file.fileName,
        });
      }
      received.push({ id, sizeBytes, contentHash: hash.digest() });
    },
    async accept() {
      await db.transaction(async (transaction) => {
        for (const upload of received) await acceptUpload(transaction, upload);
      });
      accepted = true;
      const uploads = await findUploads(
        db,
        received.map((upload) => upload.id),
      );
      return uploads.sort((a, b) => a.sequence - b.sequence);
    },
    async [Symbol.asyncDispose]() {
      if (accepted || begun.length === 0) return;
      // Best effort: what is left is swept up with other requests that never arrived whole.
      await discardUploads(db, begun).catch(() => {});
    },
  };
}
