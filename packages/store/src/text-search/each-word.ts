const unknown = 0;
const separator = 1;
const letter = 2;
const single = 3;
const pair = 4;

const letters = /^[\p{L}\p{N}\p{M}]$/u;
// Written without spaces, so that each character counts as a word, and a run of them is looked for as a phrase.
const singles =
  /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]$/u;

// Asked for each character of every document: a look into a table takes a hundredth of the time of an expression.
const kinds = new Uint8Array(65_536);

function kindOf(character: string): number {
  if (!letters.test(character)) return separator;
  return singles.test(character) && !/^\p{M}$/u.test(character) ? single : letter;
}

function unitKind(unit: number): number {
  const known = kinds[unit] as number;
  if (known !== unknown) return known;
  const found = unit >= 0xd800 && unit <= 0xdbff ? pair : kindOf(String.fromCharCode(unit));
  kinds[unit] = found;
  return found;
}

/** Calls `take` for each word: a run of letters, digits and marks, or one character of a script without spaces. */
export function eachWord(text: string, take: (word: string) => void): void {
  let start = -1;
  let at = 0;
  while (at < text.length) {
    let kind = unitKind(text.charCodeAt(at));
    let width = 1;
    if (kind === pair) {
      const character = String.fromCodePoint(text.codePointAt(at) as number);
      width = character.length;
      kind = kindOf(character);
    }
    if (kind === letter) {
      if (start < 0) start = at;
    } else {
      if (start >= 0) take(text.slice(start, at));
      start = -1;
      if (kind === single) take(text.slice(at, at + width));
    }
    at += width;
  }
  if (start >= 0) take(text.slice(start));
}
