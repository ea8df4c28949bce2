import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { collectGarbage } from '../collect-garbage.ts';
import { createRanges, readExactly } from './pdf-ranges.ts';

type Pdf = typeof import('pdfjs-dist');
export type PdfDocument = Awaited<ReturnType<Pdf['getDocument']>['promise']>;

const home = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
const mebibyte = 1024 * 1024;
/** Files up to this size are read as a whole: ranges would save nothing. */
const smallFile = 8 * mebibyte;
/** A range is in memory twice while it arrives. */
const largestRangeToOpen = 16 * mebibyte;
/** To find its pages the parser reads the dictionary of each, and those lie scattered between pictures. */
const rangeChunkSize = 4096;

export interface PdfFile extends AsyncDisposable {
  /** A parser in place of the one before, so that what that one held in memory is let go. */
  reopen(): Promise<PdfDocument>;
  /** Bytes of ranges that were read since the parser had opened the file; 0 where the file is held as a whole. */
  rangesRead(): number;
  /** The result of work with the current parser, or the error of the file if that cannot be read any more. */
  within<T>(work: Promise<T>): Promise<T>;
}

class WholeFileWanted extends Error {}

/**
 * A PDF on disk. The parser asks for the ranges that it needs and keeps them until it is reopened. To repair a damaged file it
 * wants everything at once: then it gets the file in one buffer.
 * @param reserved is told how many bytes are allocated but not filled: the parser takes the size of the file at once.
 */
export async function openPdfFile(path: string, reserved: (bytes: number) => void): Promise<PdfFile> {
  const pdf = (await import('pdfjs-dist/legacy/build/pdf.mjs')) as Pdf;
  const file = await open(path);
  const { size } = await file.stat();
  let whole = size <= smallFile;
  let held = 0;
  let heldToOpen = 0;
  let opened = false;
  let task: ReturnType<Pdf['getDocument']> | null = null;
  let failure = Promise.withResolvers<never>();

  function requested(bytes: number): void {
    if (!opened && bytes > largestRangeToOpen) throw new WholeFileWanted();
    held += bytes;
    reserved(Math.max(0, size - held));
  }

  function within<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, failure.promise]);
  }

  async function close(): Promise<void> {
    if (task === null) return;
    await task.destroy();
    task = null;
    held = 0;
    heldToOpen = 0;
    opened = false;
    collectGarbage();
    reserved(0);
  }

  async function parse(): Promise<PdfDocument> {
    failure = Promise.withResolvers<never>();
    failure.promise.catch(() => {});
    if (whole) task = pdf.getDocument({ data: await readExactly(file, 0, size), ...settings(pdf) });
    else {
      reserved(size);
      const listener = { requested, failed: failure.reject };
      const range = createRanges(pdf.PDFDataRangeTransport, file, size, listener);
      task = pdf.getDocument({
        range,
        rangeChunkSize,
        disableAutoFetch: true,
        disableStream: true,
        ...settings(pdf),
      });
    }
    const document = await within(task.promise);
    opened = true;
    heldToOpen = held;
    return document;
  }

  return {
    async reopen() {
      await close();
      try {
        return await parse();
      } catch (error) {
        if (!(error instanceof WholeFileWanted)) throw error;
        await close();
        whole = true;
        return parse();
      }
    },
    rangesRead: () => held - heldToOpen,
    within,
    async [Symbol.asyncDispose]() {
      await close();
      await file.close();
    },
  };
}

function settings(pdf: Pdf) {
  return {
    cMapUrl: `${join(home, 'cmaps')}/`,
    standardFontDataUrl: `${join(home, 'standard_fonts')}/`,
    wasmUrl: `${join(home, 'wasm')}/`,
    verbosity: pdf.VerbosityLevel.ERRORS,
    // Text needs neither pictures nor drawn glyphs.
    disableFontFace: true,
    maxImageSize: 0,
    useSystemFonts: false,
  };
}
