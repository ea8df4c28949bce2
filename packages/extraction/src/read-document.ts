import { open, stat } from 'node:fs/promises';
import { openArchive } from './archive/zip-archive.ts';
import type { Block, Findings, Reader, ReaderContext, ReaderLimits, Source } from './block.ts';
import { ExtractionError } from './errors.ts';
import { archiveFormats, type Format } from './formats.ts';
import { sniff } from './sniff.ts';
import { cleanBlocks } from './text/clean-blocks.ts';

/** Parsers are loaded when a format is first met: a thread that reads text only never loads the one for PDF. */
const readers: Record<Format, () => Promise<Reader>> = {
  text: async () => (await import('./formats/text.ts')).readText,
  markdown: async () => (await import('./formats/markdown.ts')).readMarkdown,
  html: async () => (await import('./formats/html.ts')).readHtml,
  pdf: async () => (await import('./formats/pdf.ts')).readPdf,
  docx: async () => (await import('./formats/docx.ts')).readDocx,
  pptx: async () => (await import('./formats/pptx.ts')).readPptx,
  xlsx: async () => (await import('./formats/xlsx.ts')).readXlsx,
  csv: async () => (await import('./formats/csv.ts')).readCsv,
  json: async () => (await import('./formats/json.ts')).readJson,
  jsonl: async () => (await import('./formats/jsonl.ts')).readJsonl,
  epub: async () => (await import('./formats/epub.ts')).readEpub,
};

export interface OpenDocument {
  format: Format;
  /** Cleaned, none empty, none longer than 32 768 UTF-16 units. Can be read once. */
  blocks: AsyncIterable<Block>;
  /** Complete once the blocks have all been read. */
  findings: Findings;
}

/** Opens a document. Its content overrules the format that was found by its first bytes and its name. */
export async function openDocument(
  source: Source,
  declared: Format,
  limits: ReaderLimits,
  reserve: ReaderContext['reserve'],
): Promise<OpenDocument> {
  const { size } = await stat(source.path);
  if (size === 0) throw new ExtractionError('empty_document', 'The file is empty.');
  const format = await actualFormat(source.path, declared, limits);
  const findings: Findings = { title: null, pages: null, metadata: {} };
  const read = await readers[format]();
  return {
    format,
    findings,
    blocks: refuseEmpty(cleanBlocks(read(source, { limits, findings, reserve })), format, findings),
  };
}

async function actualFormat(path: string, declared: Format, limits: ReaderLimits): Promise<Format> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  const sniffed = sniff(buffer.subarray(0, bytesRead));
  if (sniffed.kind === 'pdf') return 'pdf';
  if (sniffed.kind !== 'zip') return declared;
  await using archive = await openArchive(path, limits.maxExpandedBytes);
  if (archive.has('word/document.xml')) return 'docx';
  if (archive.has('ppt/presentation.xml')) return 'pptx';
  if (archive.has('xl/workbook.xml')) return 'xlsx';
  if (archive.has('META-INF/container.xml')) return 'epub';
  // An Office document may name its main part otherwise; then the declared format finds it by the relations.
  if (archiveFormats.has(declared)) return declared;
  throw new ExtractionError(
    'unknown_format',
    'This is a ZIP archive, but none of the documents that are read.',
    {
      details: { detected: 'a ZIP archive' },
    },
  );
}

async function* refuseEmpty(
  blocks: AsyncIterable<Block>,
  format: Format,
  findings: ReaderContext['findings'],
) {
  let empty = true;
  for await (const block of blocks) {
    empty = false;
    yield block;
  }
  if (!empty) return;
  const scanned = format === 'pdf' && (findings.pages ?? 0) > 0;
  const message = scanned
    ? `None of the ${findings.pages} pages of this PDF has text. It is probably scanned: run text recognition (OCR) on it first.`
    : 'The document holds no text.';
  throw new ExtractionError('no_text', message, { details: scanned ? { pages: findings.pages! } : {} });
}
