import type { Block, Findings, ReaderContext, Source } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { cleanLine } from '../text/clean-text.ts';
import { openPdfFile, type PdfDocument, type PdfFile } from './pdf-file.ts';
import { createPageLayout, type TextRun } from './pdf-layout.ts';

/** The parser keeps every object and every range of the file that it has seen, so it is replaced after a window of pages. */
const windowPages = 500;
const windowBytes = 24 * 1024 * 1024;

/** PDF: page by page, paragraphs and headings by the position and the size of the lines. Pages without text are skipped. */
export async function* readPdf(
  source: Source,
  { limits, findings, reserve }: ReaderContext,
): AsyncGenerator<Block> {
  await using file = await openPdfFile(source.path, reserve);
  let document = await file.reopen().catch((error: unknown) => {
    throw explain(error);
  });
  const pages = document.numPages;
  findings.pages = pages;
  if (pages > limits.maxPages) throw tooManyPages(pages, limits.maxPages);
  readInfo(await file.within(document.getMetadata()), findings);
  const layout = createPageLayout();
  let opened = 1;
  for (let number = 1; number <= pages; number += 1) {
    if (number - opened >= windowPages || file.rangesRead() > windowBytes) {
      document = await file.reopen();
      opened = number;
    }
    for (const block of layout(await readPage(file, document, number))) yield { ...block, page: number };
  }
}

async function readPage(file: PdfFile, document: PdfDocument, number: number): Promise<TextRun[]> {
  const page = await file.within(document.getPage(number));
  try {
    const { items } = await file.within(page.getTextContent());
    return items.filter((item): item is TextRun & typeof item => 'str' in item);
  } finally {
    // Fonts and operators of a page stay in memory until this.
    page.cleanup();
    if (number % 50 === 0) await document.cleanup();
  }
}

function readInfo({ info }: Awaited<ReturnType<PdfDocument['getMetadata']>>, findings: Findings): void {
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
