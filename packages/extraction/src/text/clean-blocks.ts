import type { Block } from '../block.ts';
import { cleanLine, cleanProse, cleanText } from './clean-text.ts';

/** Longest block, in UTF-16 units: longer ones are cut, so that no stage behind holds more than this at once. */
const longestBlock = 32_768;

/** Cleans the text of blocks, drops empty ones and cuts long ones into blocks that continue each other. */
export async function* cleanBlocks(blocks: AsyncIterable<Block>): AsyncGenerator<Block> {
  for await (const block of blocks) {
    const text = clean(block);
    if (text.trim() === '') continue;
    if (text.length <= longestBlock) yield { ...block, text };
    else yield* cut(block, text);
  }
}

function clean({ kind, text, continues }: Block): string {
  if (kind === 'heading') return cleanLine(text);
  if (kind === 'code') return cleanText(text).replace(/^\n+|\s+$/g, '');
  // A paragraph that was cut at a space needs that space where its halves meet.
  return continues && /^\s/.test(text) ? ` ${cleanProse(text)}` : cleanProse(text);
}

function* cut(block: Block, text: string): Generator<Block> {
  for (let start = 0, first = true; start < text.length; first = false) {
    const end =
      text.length - start <= longestBlock ? text.length : cutPoint(text, start, start + longestBlock);
    // A heading of this length is not one.
    const kind = block.kind === 'heading' ? 'paragraph' : block.kind;
    yield { ...block, kind, text: text.slice(start, end), ...(first ? {} : { continues: true }) };
    start = end;
  }
}

/** Where to cut before `limit`: after a line, a sentence or a word, and never inside a character. */
function cutPoint(text: string, start: number, limit: number): number {
  const earliest = start + Math.floor((limit - start) * 0.75);
  const window = text.slice(earliest, limit);
  for (const boundary of [/\n/g, /[.!?…。]\s/g, /\s/g]) {
    const last = [...window.matchAll(boundary)].at(-1);
    if (last !== undefined) return earliest + last.index + last[0].trimEnd().length || limit;
  }
  let end = limit;
  while (end > earliest && /[\p{M}\u{dc00}-\u{dfff}\u200d]/u.test(text.charAt(end))) end -= 1;
  // A pile of marks on one letter: cut between marks, or every step would go back over all of them.
  if (end > earliest) return end;
  return /[\u{dc00}-\u{dfff}]/u.test(text.charAt(limit)) ? limit - 1 : limit;
}
