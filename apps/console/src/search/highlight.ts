import { queryStems, splitWords, stemWord } from './words.ts';

export interface Piece {
  text: string;
  marked: boolean;
}

/**
 * A text cut into pieces of which those are marked whose words the query has, whatever their case, diacritics and common English
 * endings. The pieces joined are the text. Words that match next to each other make one piece.
 */
export function highlight(text: string, query: string): Piece[] {
  const wanted = queryStems(query);
  const pieces: Piece[] = [];
  let end = 0;
  for (const word of splitWords(text)) {
    if (!wanted.has(stemWord(word.text))) continue;
    const between = text.slice(end, word.start);
    const last = pieces.at(-1);
    if (last?.marked && between === ' ') last.text += ` ${word.text}`;
    else {
      if (between) pieces.push({ text: between, marked: false });
      pieces.push({ text: word.text, marked: true });
    }
    end = word.start + word.text.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), marked: false });
  return pieces;
}
