import type { Collection } from '../collections.ts';
import { encodeWords } from './encode-words.ts';
import { languageOf } from './lexemes.ts';

/** What says whether words of chunks are kept, and which; without it none are. */
export type KeepsWords = Partial<Pick<Collection, 'language' | 'textIndex'>>;

export const keepsWords = ({ textIndex = 'off' }: KeepsWords) => textIndex !== 'off';

/** The field of the column `words` of a chunk, or null where none are kept. */
export function wordsField(
  { headingPath, text }: { headingPath: readonly string[]; text: string },
  collection: KeepsWords,
): Buffer | null {
  if (!keepsWords(collection)) return null;
  return encodeWords(headingPath, text, languageOf(collection.language ?? 'simple'));
}

export const wordsColumn = { name: 'words', type: 'tsvector' };
