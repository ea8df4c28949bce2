import type { FileHandle } from 'node:fs/promises';
import type { PDFDataRangeTransport } from 'pdfjs-dist';

export interface RangeListener {
  /** Before a range is read. Throwing refuses it. */
  requested(bytes: number): void;
  /** The parser waits for a range that will never come. */
  failed(error: unknown): void;
}

/** Gives a parser the ranges of a file that it asks for. */
export function createRanges(
  Transport: typeof PDFDataRangeTransport,
  file: FileHandle,
  size: number,
  { requested, failed }: RangeListener,
): PDFDataRangeTransport {
  const transport = new Transport(size, null);
  let aborted = false;

  async function deliver(begin: number, end: number): Promise<void> {
    requested(end - begin);
    const bytes = await readExactly(file, begin, end - begin);
    if (!aborted) transport.onDataRange(begin, bytes);
  }

  transport.requestDataRange = (begin, end) => {
    deliver(begin, end).catch(failed);
  };
  transport.abort = () => {
    aborted = true;
  };
  return transport;
}

/** @throws if the file ends before. */
export async function readExactly(file: FileHandle, begin: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await file.read(bytes, read, length - read, begin + read);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    read += bytesRead;
  }
  return bytes;
}
