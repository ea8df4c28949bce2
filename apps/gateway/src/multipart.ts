import { type Readable, Transform } from 'node:stream';
import { Busboy, type BusboyConfig } from '@fastify/busboy';
import type { Request } from 'express';
import { HttpProblem } from './http-problem.ts';

export type MultipartPart =
  | { kind: 'field'; name: string; value: string }
  | { kind: 'file'; fileName: string | undefined; mediaType: string; bytes: AsyncIterable<Buffer> };

const limits = { fieldSize: 131_072, headerPairs: 50 };
// As many as the options of an upload, each of which may come once a file.
const fieldsPerFile = 5;
const maxFieldBytes = 16 * 1_048_576;
// Parsed and not yet asked for; small parts are parsed faster than they can be written.
const mostReady = 64;

export interface MultipartOptions {
  maxFiles: number;
}

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
 * is asked for. Throws `invalid_multipart` when the body is broken or ends early, `too_many_files`.
 */
export async function* readMultipart(
  request: Request,
  { maxFiles }: MultipartOptions,
): AsyncGenerator<MultipartPart> {
  const ready: MultipartPart[] = [];
  const streams = new Set<Readable>();
  const maxFields = fieldsPerFile * (maxFiles + 1);
  let fieldBytes = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  const fail = (problem: Error) => {
    failure ??= problem;
    wake();
  };
  const broken = (reason: string) => fail(unreadable(reason));
  const put = (part: MultipartPart) => {
    ready.push(part);
    wake();
  };

  const busboy = createParser(request, { ...limits, fields: maxFields, files: maxFiles });
  // The name is missing where the form has none, whatever the types say.
  busboy.on('field', (name: string | undefined, value, _nameCut, valueCut) => {
    if (!name) return broken('a field has no name');
    fieldBytes += name.length + value.length;
    if (valueCut) broken(`field ${name} is longer than ${limits.fieldSize} bytes`);
    else if (fieldBytes > maxFieldBytes) broken(`its fields have more than ${maxFieldBytes} bytes in all`);
    else put({ kind: 'field', name, value });
  });
  busboy.on('file', (_name, stream, fileName, _encoding, mediaType) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    // A stream that fails while nobody reads it must not end the process.
    stream.on('error', () => {});
    put({ kind: 'file', fileName: fileName || undefined, mediaType, bytes: readFile(stream) });
  });
  busboy.on('fieldsLimit', () => broken(`more than ${maxFields} fields`));
  busboy.on('filesLimit', () =>
    fail(new HttpProblem('too_many_files', `at most ${maxFiles} files in one request`, { limit: maxFiles })),
  );
  busboy.on('error', (error) => broken((error as Error).message));
  busboy.on('finish', () => {
    ended = true;
    wake();
  });
  const onClose = () => !request.complete && busboy.destroy(new Error('it ended early'));
  request.on('close', onClose);
  // Closed while enough is ready: what a pipe pauses, its next drain sets in motion again.
  let open = () => {};
  const gate = new Transform({
    transform(chunk, _encoding, pass) {
      open = () => {
        open = () => {};
        pass(null, chunk);
      };
      if (ready.length < mostReady) open();
    },
  });
  request.pipe(gate).pipe(busboy);

  try {
    for (;;) {
      const part = ready.shift();
      if (ready.length < mostReady) open();
      if (part) yield part;
      else if (failure) throw failure;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    request.off('close', onClose);
    request.unpipe(gate);
    gate.destroy();
    for (const stream of streams) stream.destroy();
  }
}

function createParser(request: Request, limits: BusboyConfig['limits'] & {}) {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': request.get('content-type') as string },
      limits,
    });
  } catch (error) {
    throw unreadable((error as Error).message);
  }
}
