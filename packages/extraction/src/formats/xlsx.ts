import { mainPart, readCoreProperties, readRelations } from '../archive/open-xml.ts';
import { attribute, parseWholeXml, parseXml, prefixedAttribute } from '../archive/xml.ts';
import { openArchive, type ZipArchive } from '../archive/zip-archive.ts';
import type { Block, ReaderContext, Source } from '../block.ts';
import { cleanLine } from '../text/clean-text.ts';
import { createRowReader } from './rows.ts';
import { columnIndex, formatNumber, type NumberKind, readNumberKinds } from './xlsx-numbers.ts';

/** Widest row that is read: what stands further right is a stray cell, and rows are laid out as arrays. */
const mostColumns = 2048;

/**
 * Excel: each visible sheet under its name as heading, each row as `column: value`. Numbers as stored, dates as
 * `2026-11-23`, formulas by their last result. Sheets are streamed; the table of shared strings is held in memory.
 */
export async function* readXlsx(source: Source, { limits, findings }: ReaderContext): AsyncGenerator<Block> {
  await using archive = await openArchive(source.path, limits.maxExpandedBytes);
  await readCoreProperties(archive, findings);
  const main = await mainPart(archive, 'xl/workbook.xml');
  const relations = await readRelations(archive, main);
  const find = (type: string) =>
    [...relations.values()].find((it) => it.type === type && archive.has(it.target))?.target;
  const book = await readWorkbook(archive, main);
  const strings = find('sharedStrings');
  const styles = find('styles');
  const shared = strings === undefined ? [] : await readSharedStrings(archive, strings);
  const kinds = styles === undefined ? [] : await readNumberKinds(archive, styles);
  const read = new Set<string>();
  for (const { name, id } of book.sheets) {
    const part = relations.get(id)?.target;
    // A small file could name one sheet thousands of times.
    if (part === undefined || read.has(part) || !archive.has(part) || !part.includes('worksheets')) continue;
    read.add(part);
    const rows = sheetRows(archive, part, { shared, kinds, since1904: book.since1904 });
    const reader = createRowReader();
    let named = false;
    for await (const cells of rows) {
      const blocks = reader.row(cells);
      if (blocks.length > 0 && !named) yield { kind: 'heading', level: 1, text: name };
      named ||= blocks.length > 0;
      yield* blocks;
    }
    const rest = reader.end();
    if (rest.length > 0) yield { kind: 'heading', level: 1, text: name };
    yield* rest;
  }
}

async function readWorkbook(archive: ZipArchive, part: string) {
  const sheets: { name: string; id: string }[] = [];
  let since1904 = false;
  await parseWholeXml(archive, part, {
    open(name, attributes) {
      if (name === 'workbookPr') since1904 = /^(1|true)$/.test(attribute(attributes, 'date1904') ?? '');
      if (name !== 'sheet' || (attribute(attributes, 'state') ?? 'visible') !== 'visible') return;
      sheets.push({
        name: attribute(attributes, 'name') ?? '',
        id: prefixedAttribute(attributes, 'id') ?? '',
      });
    },
  });
  return { sheets, since1904 };
}

async function readSharedStrings(archive: ZipArchive, part: string): Promise<string[]> {
  const strings: string[] = [];
  let text = '';
  let inText = false;
  let phonetic = false;
  await parseWholeXml(archive, part, {
    open(name) {
      if (name === 'si') text = '';
      else if (name === 'rPh') phonetic = true;
      else if (name === 't') inText = !phonetic;
    },
    text(piece) {
      if (inText) text += piece;
    },
    close(name) {
      if (name === 't') inText = false;
      else if (name === 'rPh') phonetic = false;
      else if (name === 'si') strings.push(cleanLine(text));
    },
  });
  return strings;
}

interface SheetContext {
  shared: readonly string[];
  kinds: readonly NumberKind[];
  since1904: boolean;
}

async function* sheetRows(
  archive: ZipArchive,
  part: string,
  context: SheetContext,
): AsyncGenerator<string[]> {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = { column: -1, type: '', style: 0 };
  let text = '';
  let inValue = false;
  const handlers = {
    open(name: string, attributes: Readonly<Record<string, string>>) {
      if (name === 'row') row = [];
      else if (name === 'c') {
        const place = attribute(attributes, 'r');
        const column = place === null ? cell.column + 1 : columnIndex(place);
        cell = {
          column,
          type: attribute(attributes, 't') ?? 'n',
          style: Number(attribute(attributes, 's') ?? 0),
        };
        text = '';
      } else if (name === 'v' || name === 't') inValue = true;
    },
    text(piece: string) {
      if (inValue) text += piece;
    },
    close(name: string) {
      if (name === 'v' || name === 't') inValue = false;
      else if (name === 'c' && cell.column >= 0 && cell.column < mostColumns) {
        while (row.length < cell.column) row.push('');
        row[cell.column] = cellText(cell, text, context);
      } else if (name === 'row') {
        rows.push(row);
        cell.column = -1;
      }
    },
  };
  for await (const _ of parseXml(archive, part, handlers)) yield* rows.splice(0);
}

function cellText(
  cell: { type: string; style: number },
  text: string,
  { shared, kinds, since1904 }: SheetContext,
): string {
  if (text === '') return '';
  if (cell.type === 's') return shared[Number(text)] ?? '';
  if (cell.type === 'b') return text === '1' ? 'true' : 'false';
  if (cell.type === 'n') return formatNumber(text, kinds[cell.style] ?? 'number', since1904);
  // "#N/A" and its like say nothing.
  return cell.type === 'e' ? '' : cleanLine(text);
}
