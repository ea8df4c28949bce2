import type { Chunk } from './chunk.ts';

/**
 * Returns a function that is given the chunks of a document in their order and returns what each adds to its text. Joined, these are the
 * extracted text up to the end of the last chunk: every character is at its place, so `charStart` and `charEnd` index it. What chunks
 * repeat is left out. Of the blanks at the ends of chunks only the number is known; which ones they were is concluded.
 */
export function createRejoiner(): (chunk: Pick<Chunk, 'text' | 'charStart' | 'charEnd'>) => string {
  let end = 0;
  let before = '';
  return ({ text, charStart, charEnd }) => {
    if (charEnd <= end) return '';
    const added =
      charStart >= end ? blanks(charStart - end, before, text) + text : text.slice(end - charStart);
    end = charEnd;
    before = text;
    return added;
  };
}

const singleLineEnd = /[^\n]\n[^\n]/;

/** Blocks are two line ends apart; lines of a list or table one, and so are lines that were wrapped; sentences a space. */
function blanks(count: number, before: string, after: string): string {
  if (count === 0) return '';
  if (count > 1) return `\n\n${' '.repeat(count - 2)}`;
  return singleLineEnd.test(before) || singleLineEnd.test(after) ? '\n' : ' ';
}
