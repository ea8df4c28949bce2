import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { ExtractionError } from '../errors.ts';

/** The parts of an archive by name. All parts together may inflate to `maxExpandedBytes`, counted while they do. */
export interface ZipArchive extends AsyncDisposable {
  names(): Iterable<string>;
  has(name: string): boolean;
  /** The inflated bytes of a part. @throws {ExtractionError} `broken_document` if there is no such part. */
  read(name: string): AsyncIterable<Uint8Array>;
}

const mostEntries = 10_000;
const longestNames = 4 * 1024 * 1024;

/**
 * Opens an Office document or an EPUB.
 * @throws {ExtractionError} `encrypted_document`, `broken_document`, `expanded_too_large`.
 */
export async function openArchive(path: string, maxExpandedBytes: number): Promise<ZipArchive> {
  await refuseCompound(path);
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false, strictFileNames: false });
  try {
    return archiveOf(zip, await readEntries(zip), maxExpandedBytes);
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  let length = 0;
  let count = 0;
  for await (const entry of zip.eachEntry()) {
    length += entry.fileName.length;
    count += 1;
    if (count > mostEntries || length > longestNames) {
      const message = `The archive has more than ${mostEntries} entries.`;
      throw new ExtractionError('expanded_too_large', message, {
        details: { limit: mostEntries, of: 'entries' },
      });
    }
    // The names of parts are compared without case in Office documents.
    entries.set(entry.fileName.replace(/^\/+/, '').toLowerCase(), entry);
  }
  return entries;
}

function archiveOf(zip: ZipFile, entries: ReadonlyMap<string, Entry>, maxExpandedBytes: number): ZipArchive {
  let expanded = 0;

  async function* read(name: string): AsyncGenerator<Uint8Array> {
    const entry = entries.get(name.replace(/^\/+/, '').toLowerCase());
    if (entry === undefined) {
      throw new ExtractionError('broken_document', `The archive lacks ${name}.`, {
        details: { entry: name },
      });
    }
    if (entry.isEncrypted()) throw new ExtractionError('encrypted_document', 'The archive is encrypted.');
    const stream: Readable = await zip.openReadStreamPromise(entry);
    try {
      for await (const part of stream) {
        expanded += (part as Buffer).length;
        if (expanded > maxExpandedBytes) throw tooLarge(maxExpandedBytes);
        yield part as Buffer;
      }
    } finally {
      stream.destroy();
    }
  }

  return {
    names: () => entries.keys(),
    has: (name) => entries.has(name.replace(/^\/+/, '').toLowerCase()),
    read,
    async [Symbol.asyncDispose]() {
      zip.close();
    },
  };
}

function tooLarge(limit: number): ExtractionError {
  const message = `The archive inflates to more than ${limit} bytes.`;
  return new ExtractionError('expanded_too_large', message, { details: { limit, of: 'bytes' } });
}

const compoundMark = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** Encrypted Office documents are compound files with a stream of this name; others of that kind are from before 2007. */
async function refuseCompound(path: string): Promise<void> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0);
  if (!buffer.equals(compoundMark)) return;
  const wanted = Buffer.from('EncryptedPackage', 'utf16le');
  let tail = Buffer.alloc(0);
  for await (const part of file.createReadStream({ autoClose: false, start: 0 })) {
    const bytes = Buffer.concat([tail, part as Buffer]);
    if (bytes.includes(wanted))
      throw new ExtractionError('encrypted_document', 'The document needs a password.');
    tail = bytes.subarray(-wanted.length);
  }
  throw new ExtractionError(
    'unknown_format',
    'This is an Office 97-2003 document; save it in a current format.',
    {
      details: { detected: 'an Office 97-2003 document' },
    },
  );
}
