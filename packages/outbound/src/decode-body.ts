import type { IncomingMessage } from 'node:http';
import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { OutboundError } from './errors.ts';

/** What we say that we understand; few layers and few formats are few ways to be surprised. */
export const acceptEncoding = 'gzip, br';

const decoders: Readonly<Record<string, () => Transform>> = {
  '': () => new PassThrough(),
  identity: () => new PassThrough(),
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function limited(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      bytes += chunk.length;
      pass(bytes > maxBytes ? tooLarge(maxBytes) : null, chunk);
    },
  });
}

function tooLarge(maxBytes: number): OutboundError {
  const message = `what the URL leads to is larger than ${maxBytes} bytes, the limit for one file`;
  return new OutboundError('too_large', message, { limit: maxBytes });
}

/**
 * The body without its compression. The limit holds for what arrives (an archive that expands to nothing can be endless) and
 * for what comes out of it; of a bomb no more than that is ever unpacked.
 */
export function decodeBody(response: IncomingMessage, maxBytes: number): Readable {
  const { 'content-encoding': encoding = '', 'content-length': length } = response.headers;
  if (Number(length) > maxBytes) throw tooLarge(maxBytes);
  const decoder = decoders[encoding.trim().toLowerCase()];
  if (!decoder) {
    throw new OutboundError(
      'url_refused',
      `the answer has a Content-Encoding that is not known: ${encoding.slice(0, 50)}`,
    );
  }
  const decoded = limited(maxBytes);
  // Errors come out where the result is read, if it is.
  decoded.on('error', () => {});
  pipeline(response, limited(maxBytes), decoder(), decoded, () => {});
  return decoded;
}
