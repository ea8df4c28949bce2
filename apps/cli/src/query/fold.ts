/** Lower case without diacritics, a code unit for each code unit of the composed text, so that places stay the same. */
export function fold(text: string): string {
  let folded = '';
  for (const character of text) {
    const base = character.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('đ', 'd');
    folded += base.length === character.length ? base : character;
  }
  return folded;
}

const wordPattern = /[\p{L}\p{N}]+/gu;

export interface Span {
  start: number;
  end: number;
}

/** Where words of `query` stand in `text` (composed, NFC), whatever their case and diacritics. */
export function findWords(text: string, query: string): Span[] {
  const wanted = new Set(fold(query.normalize('NFC')).match(wordPattern) ?? []);
  return [...fold(text).matchAll(wordPattern)]
    .filter(([word]) => wanted.has(word))
    .map(({ 0: word, index }) => ({ start: index, end: index + word.length }));
}
