import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';
import { type Article, type Block, listMark } from './article.ts';
import { buildDate } from './fixed-zip.ts';

const { resolve } = createRequire(import.meta.url);
const font = resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const boldFont = resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');

/** A5, so that even a short article has several pages. */
export async function writePdf({ title, language, blocks }: Article): Promise<Buffer> {
  const document = new PDFDocument({
    size: 'A5',
    margins: { top: 50, bottom: 60, left: 48, right: 48 },
    lang: language,
    info: { Title: title, Author: 'Sluice example corpus', CreationDate: buildDate },
  });
  const bytes = buffer(document);
  document.font(boldFont).fontSize(17).text(title).moveDown(0.8);
  for (const block of blocks) writeBlock(document, block);
  document.end();
  return bytes;
}

function writeBlock(document: PDFKit.PDFDocument, block: Block): void {
  switch (block.kind) {
    case 'heading':
      keepTogether(document, 70);
      document
        .font(boldFont)
        .fontSize(block.level === 2 ? 13 : 11)
        .text(block.text)
        .moveDown(0.4);
      break;
    case 'paragraph':
      document.font(font).fontSize(10).text(block.text, { lineGap: 2 }).moveDown(0.7);
      break;
    case 'list':
      document.font(font).fontSize(10);
      block.items.forEach((item, index) => {
        document.text(`${listMark(block.ordered, index)} ${item}`, { lineGap: 2, indent: 6 });
      });
      document.moveDown(0.7);
      break;
    case 'table':
      document.font(font).fontSize(8).table({ data: block.rows }).moveDown(0.7);
      break;
  }
}

function keepTogether(document: PDFKit.PDFDocument, points: number): void {
  if (document.y + points > document.page.maxY()) document.addPage();
}
