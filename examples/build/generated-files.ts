import { readFile } from 'node:fs/promises';
import { indicators, readings } from '../sources/contract-performance-indicators.ts';
import { type Article, parseArticle } from './article.ts';
import { writeDocx } from './docx.ts';
import { writeEpub } from './epub.ts';
import { writePdf } from './pdf.ts';
import { writePptx } from './pptx.ts';
import { encodeUtf16, encodeWindows1258 } from './vietnamese-text.ts';
import { writeXlsx } from './xlsx.ts';

const sources = new URL('../sources/', import.meta.url);

const text = (name: string) => readFile(new URL(name, sources), 'utf8');
const article = async (name: string, language: Article['language']) =>
  parseArticle(await text(`${name}.md`), language);

/** The files of corpus/ that can't be read as UTF-8 text, each with what makes its bytes: the same in each run. */
export const generatedFiles: Record<string, () => Buffer | Promise<Buffer>> = {
  'bid-security.pdf': async () => writePdf(await article('bid-security', 'en')),
  'bao-dam-thuc-hien-hop-dong.pdf': async () => writePdf(await article('bao-dam-thuc-hien-hop-dong', 'vi')),
  'framework-agreements.docx': async () => writeDocx(await article('framework-agreements', 'en')),
  'ke-hoach-lua-chon-nha-thau.docx': async () => writeDocx(await article('ke-hoach-lua-chon-nha-thau', 'vi')),
  'evaluation-criteria.pptx': async () => writePptx(await article('evaluation-criteria', 'en')),
  'contract-performance-indicators.xlsx': () => writeXlsx([indicators, readings]),
  'debarment.epub': async () => writeEpub(await article('debarment', 'en'), 'urn:sluice:example:debarment'),
  'chi-dinh-thau.txt': async () => encodeWindows1258(await text('chi-dinh-thau.txt')),
  'lien-danh-nha-thau.txt': async () => encodeUtf16(await text('lien-danh-nha-thau.txt')),
};
