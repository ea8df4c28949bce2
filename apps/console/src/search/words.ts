const wordPattern = /[\p{L}\p{N}\p{M}]+/gu;

// Words that say little: marking them would mark half of every passage. Without diacritics `la` or `cua` may be words that say
// something, so only the full spelling is left out.
const quiet = new Set(
  (
    'a an and are as at be by do does for from had has have how if in is it its may more must no not of on or shall so such than ' +
    'that the their then there these they this those to was were what when where which while who whose why will with within you ' +
    'bị bởi các cái cho có của do gì hay hoặc khi không là mà một những nào này nên nếu như phải ra rằng sau sẽ sự tại theo thì trên ' +
    'trong trước từ tới và vào về với đã đang đâu đây đó được đến để'
  ).split(' '),
);

export interface Word {
  text: string;
  /** Place in the text, in UTF-16 units */
  start: number;
}

export function splitWords(text: string): Word[] {
  return Array.from(text.matchAll(wordPattern), (match) => ({ text: match[0], start: match.index }));
}

/** In lower case and without diacritics: `Đấu` gives `dau`. */
export function foldWord(word: string): string {
  return word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('đ', 'd');
}

/** Folded and without the commonest English endings, which no Vietnamese syllable has: `bidding` and `bids` give `bid`. */
export function stemWord(word: string): string {
  return foldWord(word)
    .replace(/(?<=.{3})ies$/, 'y')
    .replace(/(?<=.(?:s|x|z|ch|sh))es$|(?<=.{2}[^s])s$/, '')
    .replace(/(?<=.{3})(?:ing|ed)$/, '')
    .replace(/(?<=.{2})([bdgmnprt])\1$/, '$1')
    .replace(/(?<=.{4})e$/, '');
}

/** Stems of a query's words that say something; of all its words when none does. */
export function queryStems(query: string): Set<string> {
  const words = splitWords(query).map(({ text }) => text.normalize('NFC').toLowerCase());
  const telling = words.filter((word) => !quiet.has(word));
  return new Set((telling.length > 0 ? telling : words).map(stemWord));
}
