import type { Block } from '../block.ts';
import { isHeader, joinRow } from './table.ts';

/** Turns the rows of a sheet, in order, into blocks; the first row names the columns if it looks like that. */
export function createRowReader(): { row(cells: readonly string[]): Block[]; end(): Block[] } {
  let columns: readonly string[] | null = null;
  let rows = 0;
  const block = (text: string): Block[] => (text === '' ? [] : [{ kind: 'table_row', text }]);
  return {
    row(cells) {
      if (cells.every((cell) => cell === '')) return [];
      rows += 1;
      if (rows === 1 && isHeader(cells)) {
        columns = cells;
        return [];
      }
      return block(joinRow(columns ?? [], cells));
    },
    /** A sheet of nothing but a header still has that to say. */
    end: () => (rows === 1 && columns !== null ? block(columns.filter((it) => it !== '').join('; ')) : []),
  };
}
