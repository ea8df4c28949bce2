import type { Block } from '../block.ts';
import { cleanLine } from '../text/clean-text.ts';

/**
 * A row as people would say it: `Name: An; Price: 5`. Each row carries its column names, so that a chunk of rows makes sense
 * without the head of the table. Empty cells are left out.
 */
export function joinRow(columns: readonly string[], cells: readonly string[]): string {
  return cells
    .map((cell, at) => (cell === '' ? '' : columns[at] ? `${columns[at]}: ${cell}` : cell))
    .filter((part) => part !== '')
    .join('; ');
}

/** Whether a first row names columns: at least two cells (or all there are) are filled, none is a number, none repeats. */
export function isHeader(cells: readonly string[]): boolean {
  const filled = cells.filter((cell) => cell !== '');
  if (filled.length === 0 || filled.length < Math.min(2, cells.length)) return false;
  if (filled.some((cell) => cell.length > 120 || /^[-+]?[\d.,\s]+%?$/.test(cell))) return false;
  return new Set(filled).size === filled.length;
}

/** Collects the rows of a table whose header row is marked as such. */
export function createTableReader() {
  let columns: string[] | null = null;
  let row: string[] | null = null;
  let cell = false;
  let headOnly = true;
  let rows = 0;
  return {
    inRow: () => row !== null,
    inCell: () => cell,
    startRow() {
      row = [];
      headOnly = true;
    },
    startCell(head: boolean) {
      row ??= [];
      cell = true;
      headOnly &&= head;
    },
    endCell(text: string) {
      row?.push(cleanLine(text));
      cell = false;
    },
    endRow(): Block[] {
      const cells = row ?? [];
      row = null;
      cell = false;
      if (cells.every((it) => it === '')) return [];
      if (headOnly && columns === null && rows === 0) {
        columns = cells;
        return [];
      }
      rows += 1;
      return [{ kind: 'table_row', text: joinRow(columns ?? [], cells) }];
    },
    end(): Block[] {
      const alone = rows === 0 && columns !== null ? columns.filter((it) => it !== '').join(' | ') : '';
      columns = null;
      rows = 0;
      return alone === '' ? [] : [{ kind: 'table_row', text: alone }];
    },
  };
}
