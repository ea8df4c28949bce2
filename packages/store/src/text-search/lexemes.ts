import { stemmer } from 'stemmer';

/** `simple` and `vietnamese` have words (syllables) as they are, `english` by their stems. */
export type Language = 'simple' | 'english' | 'vietnamese';

export const languageOf = (name: string): Language =>
  name === 'english' || name === 'vietnamese' ? name : 'simple';

export interface Lexemes {
  /** What a word is found by, however it is written: without diacritics and case, of English the stem. Empty: no word. */
  base: string;
  /** The word as it is written, but for its case; null where the base says as much. */
  exact: string | null;
}

/** In front of exact forms: no base begins with it, so that neither is taken for the other. */
const exactMark = '=';

// Postgres takes 2 046 bytes; longer "words" are encoded data that nobody looks for.
const maxUnits = 255;

const undecomposed: Record<string, string> = { đ: 'd', ł: 'l', ø: 'o', ı: 'i', ς: 'σ' };

/** In lower case, without diacritics and compatibility forms: `Đấu` gives `dau`, `ﬁ` gives `fi`. */
export function foldWord(word: string): string {
  // Most words of most texts, and nothing else of them to fold.
  if (isAscii.test(word)) return word.toLowerCase();
  return word
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[đłøıς]/g, (character) => undecomposed[character] as string);
}

const isAscii = /^[\0-\x7f]*$/;
const isLatin = /^[a-z]+$/;

function baseOf(folded: string, language: Language): string {
  return language === 'english' && isLatin.test(folded) ? stemmer(folded) : folded;
}

function writtenForm(word: string): string {
  return (isAscii.test(word) ? word : word.normalize('NFKC')).toLowerCase().slice(0, maxUnits);
}

/** Of one word, as `eachWord` gives them. */
export function lexemesOf(word: string, language: Language): Lexemes {
  const base = baseOf(foldWord(word), language).slice(0, maxUnits);
  const written = writtenForm(word);
  return { base, exact: written === base || base === '' ? null : exactMark + written };
}

/** What the words begin with that `word` is the beginning of: bases and, where stems hide the beginning, exact forms. */
export function prefixesOf(word: string): { base: string; exact: string } {
  return { base: foldWord(word).slice(0, maxUnits), exact: exactMark + writtenForm(word) };
}
