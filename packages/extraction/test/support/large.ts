import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import type { Format } from '../../src/index.ts';
import { officeParts } from './archives.ts';
import { createPdfWriter } from './pdf-writer.ts';

/** Writes a document of about so many bytes (of text, where it is compressed) to a path, as a stream. */
export type LargeDocument = (path: string, bytes: number) => Promise<void>;

const words =
  'nhà thầu phải nộp hồ sơ dự thầu trước thời điểm đóng thầu the procuring entity publishes the invitation to bid on the national network before it opens'.split(
    ' ',
  );

/** Sentences that do not repeat soon: tokenizers and archives must not have it easier than with real text. */
export function sentence(at: number, length = 14): string {
  const hash = createHash('md5').update(String(at)).digest();
  const picked = Array.from({ length }, (_, word) => words[hash[word % 16]! % words.length]);
  return `${picked.join(' ')} ${hash.toString('hex', 0, 4)}.`;
}

export function paragraph(at: number): string {
  return Array.from({ length: 6 }, (_, line) => sentence(at * 6 + line)).join(' ');
}

/** `head`, then items until there are `bytes` of them, then `tail`. */
function* until(bytes: number, item: (at: number) => string, head = '', tail = ''): Generator<string> {
  yield head;
  let buffer = '';
  for (let written = 0, at = 0; written < bytes; at += 1) {
    buffer += item(at);
    if (buffer.length < 65_536) continue;
    yield buffer;
    written += Buffer.byteLength(buffer);
    buffer = '';
  }
  yield tail;
}

const plain =
  (item: (at: number) => string, head = '', tail = ''): LargeDocument =>
  (path, bytes) =>
    pipeline(Readable.from(until(bytes, item, head, tail)), createWriteStream(path));

const zipped =
  (parts: Record<string, string>, main: (bytes: number) => Record<string, Iterable<string>>): LargeDocument =>
  async (path, bytes) => {
    const archive = new yazl.ZipFile();
    for (const [name, part] of Object.entries(parts)) archive.addBuffer(Buffer.from(part), name);
    for (const [name, part] of Object.entries(main(bytes)))
      archive.addReadStream(Readable.from(part, { objectMode: false }), name, { compressionLevel: 1 });
    archive.end();
    await pipeline(archive.outputStream, createWriteStream(path));
  };

const record = (at: number) => ({ id: at, name: sentence(at, 3), text: sentence(at), price: at * 7 });
const row = (at: number, cells: (column: string) => string) =>
  `<row r="${at + 1}">${['A', 'B', 'C', 'D', 'E'].map((column) => cells(column)).join('')}</row>`;
const ns = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';

function chapters(bytes: number): Record<string, Iterable<string>> {
  const each = Math.min(bytes, 1_000_000);
  return Object.fromEntries(
    Array.from({ length: Math.ceil(bytes / each) }, (_, chapter) => [
      `OEBPS/${chapter}.xhtml`,
      until(each, (at) => `<p>${paragraph(chapter * 10_000 + at)}</p>`, `<h1>Chapter ${chapter}</h1>`),
    ]),
  );
}

function epub(path: string, bytes: number): Promise<void> {
  const parts = chapters(bytes);
  const count = Object.keys(parts).length;
  const items = Array.from({ length: count }, (_, at) => `<item id="c${at}" href="${at}.xhtml"/>`);
  const spine = Array.from({ length: count }, (_, at) => `<itemref idref="c${at}"/>`);
  const opf = `<package><manifest>${items.join('')}</manifest><spine>${spine.join('')}</spine></package>`;
  const container = '<container><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>';
  return zipped(
    { mimetype: 'application/epub+zip', 'META-INF/container.xml': container, 'OEBPS/content.opf': opf },
    () => parts,
  )(path, bytes);
}

function pptx(path: string, bytes: number): Promise<void> {
  const each = 20_000;
  const count = Math.min(4_000, Math.ceil(bytes / each));
  const slides = Array.from({ length: count }, (_, at) => `<p:sldId id="${at}" r:id="r${at}"/>`).join('');
  const relations = Array.from(
    { length: count },
    (_, at) => `<Relationship Id="r${at}" Type="x/slide" Target="slides/s${at}.xml"/>`,
  ).join('');
  const slide = (at: number) =>
    until(
      each,
      (line) => `<a:p><a:r><a:t>${sentence(at * 1_000 + line)}</a:t></a:r></a:p>`,
      '<p:sld><p:sp>',
      '</p:sp></p:sld>',
    );
  return zipped(
    {
      ...officeParts('ppt/presentation.xml'),
      'ppt/presentation.xml': `<p:presentation xmlns:r="r"><p:sldIdLst>${slides}</p:sldIdLst></p:presentation>`,
      'ppt/_rels/presentation.xml.rels': `<Relationships>${relations}</Relationships>`,
    },
    () => Object.fromEntries(Array.from({ length: count }, (_, at) => [`ppt/slides/s${at}.xml`, slide(at)])),
  )(path, bytes);
}

const workbook = {
  ...officeParts('xl/workbook.xml'),
  'xl/workbook.xml':
    '<workbook xmlns:r="r"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
  'xl/_rels/workbook.xml.rels':
    '<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
};

/** All cells in the table of shared strings, none of them twice: what a reader has to keep. */
const sharedXlsx: LargeDocument = zipped(workbook, (bytes) => ({
  'xl/sharedStrings.xml': until(bytes / 2, (at) => `<si><t>${sentence(at)}</t></si>`, '<sst>', '</sst>'),
  'xl/worksheets/sheet1.xml': until(
    bytes / 2,
    (at) => row(at, (column) => `<c r="${column}${at + 1}" t="s"><v>${at}</v></c>`),
    '<worksheet><sheetData>',
    '</sheetData></worksheet>',
  ),
}));

const inlineXlsx: LargeDocument = zipped(workbook, (bytes) => ({
  'xl/worksheets/sheet1.xml': until(
    bytes,
    (at) =>
      row(at, (column) => `<c r="${column}${at + 1}" t="inlineStr"><is><t>${sentence(at, 5)}</t></is></c>`),
    '<worksheet><sheetData>',
    '</sheetData></worksheet>',
  ),
}));

/** Pages of text without pictures, as so many bytes of (uncompressed) page content. */
async function textPdf(path: string, bytes: number, pages = 1_600): Promise<void> {
  const lines = Math.max(1, Math.round(bytes / pages / 110));
  await using pdf = createPdfWriter(path);
  for (let page = 0; page < pages; page += 1) {
    await pdf.page(Array.from({ length: lines }, (_, line) => sentence(page * lines + line)));
  }
}

/** Pages of some text and pictures, which make up the bytes of the file. */
async function picturePdf(path: string, bytes: number): Promise<void> {
  const pages = 400;
  // Nobody is to look at them, and noise cannot be deflated.
  const picture = randomBytes(Math.round(bytes / pages));
  await using pdf = createPdfWriter(path);
  for (let page = 0; page < pages; page += 1) {
    const lines = Array.from({ length: 30 }, (_, line) => sentence(page * 30 + line));
    await pdf.page(lines, picture);
  }
}

export const largeDocuments: Record<string, { format: Format; write: LargeDocument }> = {
  text: { format: 'text', write: plain((at) => `${paragraph(at)}\n\n`) },
  'text without breaks': { format: 'text', write: plain((at) => `${sentence(at)} `) },
  'text without blanks': { format: 'text', write: plain((at) => sentence(at).replaceAll(' ', '')) },
  markdown: {
    format: 'markdown',
    write: plain(
      (at) => `${at % 10 === 0 ? `## Part ${at}\n\n` : ''}${paragraph(at)}\n\n- *one* ${at}\n- two\n\n`,
    ),
  },
  'markdown without breaks': { format: 'markdown', write: plain((at) => `- **${sentence(at)}** [x](y)\n`) },
  html: {
    format: 'html',
    write: plain(
      (at) => `<p class=c>${paragraph(at)}</p><ul><li>a<li>b</ul>\n`,
      '<!doctype html><html><body>',
    ),
  },
  'html in one cell': { format: 'html', write: plain((at) => `${sentence(at)} `, '<html><table><tr><td>') },
  csv: {
    format: 'csv',
    write: plain((at) => `${at},"${sentence(at, 3)}","${sentence(at)}",${at * 7}\n`, 'id,name,text,price\n'),
  },
  json: {
    format: 'json',
    write: plain((at) => `${at > 0 ? ',' : ''}${JSON.stringify(record(at))}`, '{"records":[', ']}'),
  },
  'json in one string': { format: 'json', write: plain((at) => `${sentence(at)} `, '{"a":"', '"}') },
  jsonl: { format: 'jsonl', write: plain((at) => `${JSON.stringify(record(at))}\n`) },
  docx: {
    format: 'docx',
    write: zipped(officeParts('word/document.xml'), (bytes) => ({
      'word/document.xml': until(
        bytes,
        (at) => `<w:p><w:r><w:t>${paragraph(at)}</w:t></w:r></w:p>`,
        `<w:document ${ns}><w:body>`,
        '</w:body></w:document>',
      ),
    })),
  },
  pptx: { format: 'pptx', write: pptx },
  'xlsx of shared strings': { format: 'xlsx', write: sharedXlsx },
  'xlsx of inline strings': { format: 'xlsx', write: inlineXlsx },
  epub: { format: 'epub', write: epub },
  'pdf of 1 600 pages': { format: 'pdf', write: textPdf },
  'pdf of 20 000 pages': { format: 'pdf', write: (path, bytes) => textPdf(path, bytes, 20_000) },
  'pdf of pictures': { format: 'pdf', write: picturePdf },
};
