import { readFileSync } from 'node:fs';
import { markerOf, type Paragraph, sentenceOf } from './paragraphs.ts';

export const writtenFormats = ['text', 'markdown', 'html', 'csv', 'jsonl'] as const;
export type WrittenFormat = (typeof writtenFormats)[number];

/** What one version of a document consists of; its bytes are a function of it. */
export type Content =
  | { kind: 'written'; document: string; format: WrittenFormat; paragraphs: readonly Paragraph[] }
  | { kind: 'file'; file: string }
  /** Fails for good. */
  | { kind: 'broken' };

const folder = new URL('../../../examples/corpus/', import.meta.url);
/** One of each format that cannot be written in a line. */
export const corpusFiles = [
  'bid-security.pdf',
  'framework-agreements.docx',
  'evaluation-criteria.pptx',
  'contract-performance-indicators.xlsx',
  'debarment.epub',
  'supplier-qualification.json',
];
const cutFile = 'framework-agreements.docx';
export const brokenCode = 'broken_document';

const extensions: Record<WrittenFormat, string> = {
  text: 'txt',
  markdown: 'md',
  html: 'html',
  csv: 'csv',
  jsonl: 'jsonl',
};

export function fileNameOf(content: Content, document: string): string {
  if (content.kind === 'file') return content.file;
  return `${document}.${content.kind === 'broken' ? 'docx' : extensions[content.format]}`;
}

export function bytesOf(content: Content): Buffer<ArrayBuffer> {
  if (content.kind === 'file') return Buffer.from(readFileSync(new URL(content.file, folder)));
  if (content.kind === 'written') return Buffer.from(write(content));
  const whole = readFileSync(new URL(cutFile, folder));
  return Buffer.from(whole.subarray(0, Math.floor(whole.length * 0.6)));
}

type Written = Extract<Content, { kind: 'written' }>;
const sectionLength = 12;

function write({ document, format, paragraphs }: Written): string {
  const sentences = paragraphs.map((paragraph) => sentenceOf(document, paragraph));
  const section = (at: number) => `Section ${at / sectionLength + 1}`;
  const withSections = (heading: (title: string) => string, body: (sentence: string) => string) =>
    sentences.flatMap((sentence, at) =>
      at % sectionLength === 0 ? [heading(section(at)), body(sentence)] : [body(sentence)],
    );
  if (format === 'text') return sentences.join('\n\n');
  if (format === 'markdown') {
    return withSections(
      (title) => `## ${title}`,
      (sentence) => sentence,
    ).join('\n\n');
  }
  if (format === 'csv') return ['text', ...sentences].join('\n');
  if (format === 'jsonl') return sentences.map((text) => JSON.stringify({ text })).join('\n');
  const lines = withSections(
    (title) => `<h2>${title}</h2>`,
    (sentence) => `<p>${sentence}</p>`,
  );
  return `<!doctype html><html><body>\n${lines.join('\n')}\n</body></html>`;
}

/** The markers of a version in their order; undefined where we did not write the text. */
export function markersOf(content: Content): string[] | undefined {
  if (content.kind !== 'written') return undefined;
  return content.paragraphs.map((paragraph) => markerOf(content.document, paragraph));
}
