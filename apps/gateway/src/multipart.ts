import type { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import type { Request } from 'express';
import { HttpProblem } from './http-problem.ts';

export type MultipartPart =
  | { kind: 'field'; name: string; value: string }
  | { kind: 'file'; fileName: string | undefined; mediaType: string; bytes: AsyncIterable<Buffer> };

const limits = { fieldSize: 131_072, fields: 1_000, headerPairs: 50 };

function unreadable(reason: string): HttpProblem {
  return new HttpProblem('invalid_multipart', `the multipart body cannot be read: ${reason}`);
}

/** A file's bytes; what breaks the stream is a fault of the body. */
async function* readFile(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    throw unreadable((error as Error).message);
  }
}

/**
 * The parts of a multipart body in order, while it arrives. A file's stream must be read to its end before the next part
 * is asked for. Throws `invalid_multipart` when the body is broken or ends early.
 */
export async function* readMultipart(request: Request): AsyncGenerator<MultipartPart> {
  const ready: MultipartPart[] = [];
  const streams: Readable[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  const broken = (reason: string) => {
    failure ??= unreadable(reason);
    wake();
  };
  const put = (part: MultipartPart) => {
    ready.push(part);
    wake();
  };

  const busboy = createParser(request);
  busboy.on('field', (name, value, _nameCut, valueCut) => {
    if (valueCut) broken(`field ${name} is longer than ${limits.fieldSize} bytes`);
    else put({ kind: 'field', name, value });
  });
  busboy.on('file', (_name, stream, fileName, _encoding, mediaType) => {
    streams.push(stream);
    // A stream that fails while nobody reads it must not end the process.
    stream.on('error', () => {});
    put({ kind: 'file', fileName: fileName || undefined, mediaType, bytes: readFile(stream) });
  });
  busboy.on('fieldsLimit', () => broken(`more than ${limits.fields} fields`));
  busboy.on('error', (error) => broken((error as Error).message));
  busboy.on('finish', () => {
    ended = true;
    wake();
  });
  const onClose = () => !request.complete && busboy.destroy(new Error('it ended early'));
  request.on('close', onClose);
  request.pipe(busboy);

  try {
    for (;;) {
      const part = ready.shift();
      if (part) yield part;
      else if (failure) throw failure;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    request.off('close', onClose);
    request.unpipe(busboy);
    for (const stream of streams) stream.destroy();
  }
}

function createParser(request: Request) {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': request.get('content-type') as string },
      limits,
    });
  } catch (error) {
    throw unreadable((error as Error).message);
  }
}
