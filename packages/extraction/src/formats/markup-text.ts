import type { Block } from '../block.ts';
import { cleanLine } from '../text/clean-text.ts';
import { createTableReader } from './table.ts';

const breaking = new Set(
  'p div section article aside main header footer address blockquote figure figcaption dl dt dd ul ol hr thead tbody tfoot caption details summary body html fieldset legend center form'.split(
    ' ',
  ),
);
const longestText = 65_536;

/**
 * Collects the text of elements into blocks. Elements that stand on lines of their own end a block; their names say of which
 * kind the next one is. A table in a table is read as text of the cell that it is in.
 */
export function createMarkupText() {
  const out: Block[] = [];
  const table = createTableReader();
  let firstHeading: string | null = null;
  let text = '';
  let heading = 0;
  let continues = false;
  let preformatted = 0;
  let lists = 0;
  let tables = 0;

  function flush(): void {
    const body = text;
    text = '';
    if (body.trim() !== '') {
      if (heading === 1) firstHeading ??= cleanLine(body);
      out.push({
        kind: kind(),
        text: body,
        ...(heading > 0 ? { level: heading } : {}),
        ...(continues ? { continues } : {}),
      });
      continues = false;
    }
    heading = 0;
  }

  function kind(): Block['kind'] {
    if (heading > 0) return 'heading';
    if (preformatted > 0) return 'code';
    return lists > 0 ? 'list_item' : 'paragraph';
  }

  function endCell(): void {
    if (table.inCell()) table.endCell(text);
    if (table.inRow()) text = '';
  }

  /** Old pages stand in one cell as a whole: what there is of the row is let go, and the cell goes on in a row of its own. */
  function splitCell(): void {
    const cut = text.lastIndexOf(' ') + 1 || text.length;
    const rest = text.slice(cut);
    text = text.slice(0, cut);
    endRow();
    table.startRow();
    table.startCell(false);
    text = rest;
  }

  function endRow(): void {
    endCell();
    out.push(...table.endRow());
  }

  function endTable(): void {
    endRow();
    out.push(...table.end());
    flush();
  }

  /** Handles the elements of the outermost table; false for any other. */
  function openTablePart(name: string): boolean {
    if (name === 'table') {
      if (!table.inRow()) flush();
      tables += 1;
    } else if (tables !== 1) return false;
    else if (name === 'tr') {
      endRow();
      flush();
      table.startRow();
    } else if (name === 'td' || name === 'th') {
      endCell();
      table.startCell(name === 'th');
    } else return false;
    return true;
  }

  function closeTablePart(name: string): boolean {
    if (name === 'table') {
      tables = Math.max(0, tables - 1);
      if (tables === 0) endTable();
    } else if (tables !== 1) return false;
    else if (name === 'tr') endRow();
    else if (name === 'td' || name === 'th') endCell();
    else return false;
    return true;
  }

  return {
    open(name: string, alternative: string): void {
      if (openTablePart(name)) return;
      const level = headingLevel(name);
      if (name === 'br') text += '\n';
      else if (name === 'img') text += alternative === '' ? '' : ` ${alternative} `;
      else if (table.inRow()) text += breaking.has(name) || name === 'li' ? ' ' : '';
      else if (breaking.has(name) || level > 0 || name === 'pre' || name === 'li') {
        flush();
        heading = level;
        if (name === 'pre') preformatted += 1;
        if (name === 'li') lists += 1;
      }
    },
    text(piece: string): void {
      text += preformatted > 0 && !table.inRow() ? piece : piece.replace(/\s+/g, ' ');
      if (text.length <= longestText) return;
      if (table.inRow()) splitCell();
      else {
        flush();
        continues = true;
      }
    },
    close(name: string): void {
      if (closeTablePart(name)) return;
      if (table.inRow()) text += breaking.has(name) ? ' ' : '';
      else if (breaking.has(name) || headingLevel(name) > 0 || name === 'pre' || name === 'li') {
        flush();
        if (name === 'pre') preformatted = Math.max(0, preformatted - 1);
        if (name === 'li') lists = Math.max(0, lists - 1);
      }
    },
    end: endTable,
    /** The blocks that are complete. */
    take: (): Block[] => out.splice(0),
    firstHeading: () => firstHeading,
  };
}

function headingLevel(name: string): number {
  return /^h[1-6]$/.test(name) ? Number(name[1]) : 0;
}
