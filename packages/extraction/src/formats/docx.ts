import { mainPart, readCoreProperties, readRelations } from '../archive/open-xml.ts';
import { type Attributes, attribute, parseXml, type XmlHandlers } from '../archive/xml.ts';
import { openArchive } from '../archive/zip-archive.ts';
import type { Block, ReaderContext, Source } from '../block.ts';
import { cleanLine } from '../text/clean-text.ts';
import { type Numbering, readNumbering } from './docx-numbering.ts';
import { type ParagraphStyle, readStyles } from './docx-styles.ts';
import { isHeader, joinRow } from './table.ts';

/**
 * Word: paragraphs, headings (by outline level, also through styles), lists with their numbers, tables, text boxes, footnotes
 * and endnotes. Read as a stream: a model of the whole document takes many times the size of its XML.
 */
export async function* readDocx(source: Source, { limits, findings }: ReaderContext): AsyncGenerator<Block> {
  await using archive = await openArchive(source.path, limits.maxExpandedBytes);
  await readCoreProperties(archive, findings);
  const main = await mainPart(archive, 'word/document.xml');
  const parts = [...(await readRelations(archive, main)).values()];
  const find = (type: string) => parts.find((part) => part.type === type)?.target ?? `word/${type}.xml`;
  const styles = await readStyles(archive, find('styles'));
  const numbering = await readNumbering(archive, find('numbering'));
  const notes = parts
    .filter((part) => part.type === 'footnotes' || part.type === 'endnotes')
    .map((it) => it.target);
  for (const part of [main, ...notes.filter((name) => archive.has(name))]) {
    const out: Block[] = [];
    for await (const _ of parseXml(archive, part, documentHandlers(styles, numbering, out)))
      yield* out.splice(0);
  }
}

interface Paragraph extends ParagraphStyle {
  text: string;
  isListItem: boolean;
}

interface OpenTable {
  columns: string[] | null;
  row: string[];
  cell: string[];
  rows: number;
}

/** What says the same again for old readers, was deleted, or describes how a paragraph was before. */
const ignoredElements = new Set(['Fallback', 'del', 'moveFrom', 'pPrChange', 'rPrChange']);

function documentHandlers(
  styles: ReadonlyMap<string, ParagraphStyle>,
  numbering: Numbering,
  out: Block[],
): XmlHandlers {
  /** Paragraphs nest where a text box is anchored in one. */
  const paragraphs: Paragraph[] = [];
  const tables: OpenTable[] = [];
  let inText = 0;
  let ignored = 0;

  function endParagraph(): void {
    const paragraph = paragraphs.pop();
    if (paragraph === undefined) return;
    const { list, listLevel = 0, heading, isListItem } = paragraph;
    const number = list === undefined ? '' : numbering.next(list, listLevel);
    const text =
      number === '' || paragraph.text.trim() === '' ? paragraph.text : `${number} ${paragraph.text}`;
    const cell = tables.at(-1)?.cell;
    if (cell !== undefined) cell.push(text);
    else if (heading !== undefined) out.push({ kind: 'heading', level: heading, text });
    else out.push({ kind: isListItem ? 'list_item' : 'paragraph', text });
  }

  function endRow(): void {
    const table = tables.at(-1);
    if (table === undefined) return;
    const row = table.row.splice(0);
    table.rows += 1;
    if (tables.length > 1) tables.at(-2)!.cell.push(row.join(' | '));
    else if (table.rows === 1 && isHeader(row)) table.columns = row;
    else out.push({ kind: 'table_row', text: joinRow(table.columns ?? [], row) });
  }

  function endTable(): void {
    const table = tables.pop();
    // A table of one row has no header; that row is its content.
    if (table?.columns && table.rows === 1) out.push({ kind: 'table_row', text: table.columns.join(' | ') });
  }

  return {
    open(name, attributes) {
      if (ignored > 0 || ignoredElements.has(name)) ignored += 1;
      else if (name === 'p') paragraphs.push({ text: '', isListItem: false });
      else if (name === 't') inText += 1;
      else if (name === 'tbl') tables.push({ columns: null, row: [], cell: [], rows: 0 });
      else if (paragraphs.length > 0) describe(paragraphs.at(-1)!, name, attributes, styles);
    },
    text(text) {
      if (inText > 0 && ignored === 0 && paragraphs.length > 0) paragraphs.at(-1)!.text += text;
    },
    close(name) {
      if (ignored > 0) ignored -= 1;
      else if (name === 't') inText -= 1;
      else if (name === 'p') endParagraph();
      else if (name === 'tc') tables.at(-1)?.row.push(cleanLine(tables.at(-1)!.cell.splice(0).join(' ')));
      else if (name === 'tr') endRow();
      else if (name === 'tbl') endTable();
    },
  };
}

function describe(
  paragraph: Paragraph,
  name: string,
  attributes: Attributes,
  styles: ReadonlyMap<string, ParagraphStyle>,
): void {
  const value = attribute(attributes, 'val') ?? '';
  if (name === 'pStyle') Object.assign(paragraph, styles.get(value), { isListItem: /^list/i.test(value) });
  else if (name === 'outlineLvl' && /^[0-8]$/.test(value)) paragraph.heading = Number(value) + 1;
  else if (name === 'numPr') paragraph.isListItem = true;
  else if (name === 'numId') paragraph.list = value;
  else if (name === 'ilvl') paragraph.listLevel = Number(value) || 0;
  else if (name === 'tab') paragraph.text += '\t';
  else if (name === 'br' || name === 'cr') paragraph.text += '\n';
  else if (name === 'noBreakHyphen') paragraph.text += '-';
}
