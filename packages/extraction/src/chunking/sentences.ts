import { countTokens } from './tokens.ts';

/** A sentence, or a part of one that is too long: the smallest piece that chunks are made of. */
export interface Piece {
  /** Begins with the blanks in front of it, so that token counts of pieces add up. */
  text: string;
  tokens: number;
  startsSentence: boolean;
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });
const longestWord = 64;

/**
 * Splits a text into pieces of at most `maxTokens`; together they are the text.
 * @param wraps whether a line end may stand inside of a sentence.
 */
export function* splitSentences(text: string, maxTokens: number, wraps: boolean): Generator<Piece> {
  let blanks = '';
  for (const sentence of rawSentences(text, wraps)) {
    const body = sentence.trimEnd();
    if (body === '') {
      blanks += sentence;
      continue;
    }
    yield* splitLong(blanks + body, maxTokens);
    blanks = sentence.slice(body.length);
  }
}

function* rawSentences(text: string, wraps: boolean): Generator<string> {
  // A line that goes on in lower case was wrapped; the rules of Unicode would end a sentence there. Lengths stay equal.
  const unwrapped = wraps ? text.replace(/\n(?=\p{Ll})/gu, ' ') : text;
  for (const { segment, index } of sentences.segment(unwrapped))
    yield text.slice(index, index + segment.length);
}

function* splitLong(text: string, maxTokens: number): Generator<Piece> {
  if (text.length <= maxTokens * 16) {
    const tokens = countTokens(text);
    if (tokens <= maxTokens) {
      yield { text, tokens, startsSentence: true };
      return;
    }
  }
  // Parts well below the limit, so that the overlap can repeat the end of a long sentence.
  const longestPart = Math.max(4, Math.ceil(maxTokens / 3));
  let piece = '';
  let tokens = 0;
  let startsSentence = true;
  for (const word of words(text)) {
    const more = countTokens(word);
    if (piece !== '' && tokens + more > longestPart) {
      yield { text: piece, tokens, startsSentence };
      startsSentence = false;
      piece = '';
      tokens = 0;
    }
    if (more > longestPart) {
      for (const part of halves(word, longestPart)) {
        yield { ...part, startsSentence };
        startsSentence = false;
      }
    } else {
      piece += word;
      tokens += more;
    }
  }
  if (piece !== '') yield { text: piece, tokens, startsSentence };
}

/** Words with the blanks in front of them; what has no blanks for long (base64, Thai) in parts that end on a character. */
function* words(text: string): Generator<string> {
  for (const { 0: word } of text.matchAll(/\s*\S+/g)) {
    let rest = word;
    while (rest.length > longestWord) {
      const cut = characterBoundary(rest, longestWord);
      yield rest.slice(0, cut);
      rest = rest.slice(cut);
    }
    yield rest;
  }
}

function* halves(word: string, maxTokens: number): Generator<{ text: string; tokens: number }> {
  const tokens = countTokens(word);
  const cut = characterBoundary(word, word.length >> 1);
  if (tokens <= maxTokens || cut >= word.length) yield { text: word, tokens };
  else {
    yield* halves(word.slice(0, cut), maxTokens);
    yield* halves(word.slice(cut), maxTokens);
  }
}

/** The last boundary between characters at or before `near`, or the first one after it if there is none. */
function characterBoundary(text: string, near: number): number {
  const inside = (at: number) => /\p{M}|\u200d/u.test(text.charAt(at)) || isTrail(text, at);
  for (let at = near; at > 0; at -= 1) if (!inside(at)) return at;
  // A pile of combining marks on one letter: cut between marks rather than not at all.
  return isTrail(text, near) ? near + 1 : Math.max(1, near);
}

function isTrail(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
