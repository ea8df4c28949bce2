import type { Block } from '../block.ts';
import { splitSentences } from './sentences.ts';

/** A piece with its place in the document. */
export interface Unit {
  text: string;
  tokens: number;
  /** UTF-16 units from the start of the extracted text to the start of `text`. */
  start: number;
  page: number | null;
  headingPath: readonly string[];
  isHeading: boolean;
  level: number;
  startsBlock: boolean;
  startsSentence: boolean;
}

const longestHeadingInPath = 200;
const tight = new Set<Block['kind']>(['list_item', 'table_row', 'code']);

/**
 * Returns a function that turns blocks, in order, into units, and knows where the text and the headings have got to. Units
 * joined are the extracted text.
 */
export function createUnitizer(maxTokens: number): (block: Block) => Generator<Unit> {
  let offset = 0;
  let previous: Pick<Block, 'kind' | 'text'> | null = null;
  let headings: { level: number; text: string }[] = [];
  let path: readonly string[] = [];

  return function* units(block) {
    const separator = separatorBetween(previous, block);
    if (block.kind === 'heading') {
      const level = Math.max(1, block.level ?? 1);
      headings = [...headings.filter((it) => it.level < level), { level, text: block.text }];
      path = headings.map((it) => it.text.slice(0, longestHeadingInPath).toWellFormed());
    }
    let startsBlock = block.continues !== true || previous === null;
    let blanks = separator;
    const wraps = block.kind === 'paragraph' || block.kind === 'list_item';
    for (const piece of splitSentences(block.text, maxTokens, wraps)) {
      const text = blanks + piece.text;
      yield {
        text,
        tokens: piece.tokens + (blanks === '' ? 0 : 1),
        start: offset,
        page: block.page ?? null,
        headingPath: path,
        isHeading: block.kind === 'heading',
        level: block.level ?? 1,
        startsBlock,
        startsSentence: piece.startsSentence,
      };
      offset += text.length;
      startsBlock = false;
      blanks = '';
    }
    previous = block;
  };
}

function separatorBetween(previous: Pick<Block, 'kind' | 'text'> | null, block: Block): string {
  if (previous === null || block.continues === true) return '';
  const close = previous.kind === block.kind && tight.has(block.kind);
  return close && !previous.text.includes('\n') && !block.text.includes('\n') ? '\n' : '\n\n';
}
