import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';

const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');

export interface PdfPage {
  heading?: string;
  paragraphs: string[];
}

/** A PDF with a font that has all Vietnamese letters; headings in 18 points, text in 11. */
export function pdf(pages: PdfPage[], options: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  const document = new PDFDocument({ autoFirstPage: false, ...options });
  document.registerFont('sans', font);
  for (const { heading, paragraphs } of pages) {
    document.addPage().font('sans');
    if (heading !== undefined) document.fontSize(18).text(heading).moveDown();
    for (const paragraph of paragraphs) document.fontSize(11).text(paragraph).moveDown();
  }
  document.end();
  return buffer(document as unknown as AsyncIterable<Buffer>);
}

/** A page with a drawing and no text, as a scanner makes it. */
export function scannedPdf(): Promise<Buffer> {
  const document = new PDFDocument();
  document.rect(50, 50, 300, 300).fill('#888');
  document.end();
  return buffer(document as unknown as AsyncIterable<Buffer>);
}

/** A PDF of objects of your own, numbered from 1; the first is the catalogue. */
export function rawPdf(objects: (string | Buffer)[]): Buffer {
  let body = Buffer.from('%PDF-1.7\n');
  const offsets: number[] = [];
  for (const [at, object] of objects.entries()) {
    offsets.push(body.length);
    body = Buffer.concat([
      body,
      Buffer.from(`${at + 1} 0 obj\n`),
      Buffer.from(object as Buffer),
      Buffer.from('\nendobj\n'),
    ]);
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.concat([body, Buffer.from(table + trailer)]);
}

/** A page that saves its state so many times: the parser takes time that grows with the square of it. */
export function statesPdf(states: number): Buffer {
  const body = 'q '.repeat(states);
  return rawPdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>',
    `<< /Length ${body.length} >>\nstream\n${body}\nendstream`,
  ]);
}
