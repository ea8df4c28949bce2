import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Block, Findings, ReaderContext, Source } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { cleanLine } from '../text/clean-text.ts';
import { createPageLayout, type TextRun } from './pdf-layout.ts';

type Pdf = typeof import('pdfjs-dist');
type PdfDocument = Awaited<ReturnType<Pdf['getDocument']>['promise']>;

const home = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));

/** PDF: page by page, paragraphs and headings by the position and the size of the lines. Pages without text are skipped. */
export async function* readPdf(source: Source, { limits, findings }: ReaderContext): AsyncGenerator<Block> {
  const task = await openPdf(source.path);
  try {
    const document = await task.promise.catch((error: unknown) => {
      throw explain(error);
    });
    findings.pages = document.numPages;
    if (document.numPages > limits.maxPages) throw tooManyPages(document.numPages, limits.maxPages);
    await readInfo(document, findings);
    const layout = createPageLayout();
    for (let number = 1; number <= document.numPages; number += 1) {
      for (const block of layout(await readPage(document, number))) yield { ...block, page: number };
    }
  } finally {
    await task.destroy();
  }
}

async function openPdf(path: string) {
  const pdf = (await import('pdfjs-dist/legacy/build/pdf.mjs')) as Pdf;
  const data = await readFile(path);
  return pdf.getDocument({
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    cMapUrl: `${join(home, 'cmaps')}/`,
    standardFontDataUrl: `${join(home, 'standard_fonts')}/`,
    wasmUrl: `${join(home, 'wasm')}/`,
    verbosity: pdf.VerbosityLevel.ERRORS,
    // Text needs neither pictures nor drawn glyphs.
    disableFontFace: true,
    maxImageSize: 0,
    useSystemFonts: false,
  });
}

async function readPage(document: PdfDocument, number: number): Promise<TextRun[]> {
  const page = await document.getPage(number);
  try {
    const { items } = await page.getTextContent();
    return items.filter((item): item is TextRun & typeof item => 'str' in item);
  } finally {
    // Fonts and operators of a page stay in memory until this.
    page.cleanup();
    if (number % 50 === 0) await document.cleanup();
  }
}

async function readInfo(document: PdfDocument, findings: Findings): Promise<void> {
  const { info } = await document.getMetadata();
  const fields = info as Record<string, unknown>;
  const text = (key: string) =>
    typeof fields[key] === 'string' ? cleanLine(fields[key]).slice(0, 1000) : '';
  if (text('Title') !== '') findings.title = text('Title');
  for (const key of ['Author', 'Subject', 'Keywords']) {
    if (text(key) !== '') findings.metadata[key.toLowerCase()] = text(key);
  }
}

function explain(error: unknown): ExtractionError {
  const { name, message } = error as { name?: string; message?: string };
  if (name === 'PasswordException') {
    return new ExtractionError('encrypted_document', 'The PDF needs a password.', { cause: error });
  }
  return new ExtractionError('broken_document', `The PDF could not be read: ${message ?? name}`, {
    cause: error,
  });
}

function tooManyPages(pages: number, limit: number): ExtractionError {
  return new ExtractionError('too_many_pages', `The PDF has ${pages} pages; the limit is ${limit}.`, {
    details: { pages, limit },
  });
}
