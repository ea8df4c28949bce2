import { eachWord } from './each-word.ts';
import { type Language, lexemesOf } from './lexemes.ts';

// Limits of tsvector: https://www.postgresql.org/docs/current/textsearch-limitations.html
const maxPosition = 16_383;
const maxPositions = 255;
/** Of lexemes; with their positions they stay below the limit of 1 MiB. */
const maxBytes = 256 * 1_024;

/** Words that are remembered; a language has about as many in everyday use. */
const maxKnown = 50_000;

interface Lexeme {
  /** Of ASCII alone: its characters are its bytes, and no buffer has to be kept for it. */
  ascii: string | null;
  /** Otherwise its UTF-8. */
  utf8: Buffer | null;
  bytes: number;
  /** In the text that is being encoded; empty between texts. */
  positions: number[];
}

const isAscii = /^[\0-\x7f]*$/;

type WordEncoder = (parts: readonly string[]) => Buffer;

function createWordEncoder(language: Language): WordEncoder {
  const lexemes = new Map<string, Lexeme>();
  /** By the word as it is written: folding and stemming cost more than the rest together. */
  const known = new Map<string, readonly Lexeme[]>();
  let used: Lexeme[] = [];
  let bytes = 0;
  let position = 0;

  function lexemeOf(text: string): Lexeme {
    const found = lexemes.get(text);
    if (found) return found;
    const utf8 = isAscii.test(text) ? null : Buffer.from(text);
    const made = { ascii: utf8 ? null : text, utf8, bytes: utf8?.length ?? text.length, positions: [] };
    lexemes.set(text, made);
    return made;
  }

  function learn(word: string): readonly Lexeme[] {
    const { base, exact } = lexemesOf(word, language);
    const made = base === '' ? [] : [base, ...(exact === null ? [] : [exact])].map(lexemeOf);
    known.set(word, made);
    return made;
  }

  function take(word: string): void {
    const found = known.get(word) ?? learn(word);
    if (found.length === 0) return;
    position = Math.min(position + 1, maxPosition);
    for (const lexeme of found) {
      const { positions } = lexeme;
      if (positions.length === 0) {
        if (bytes > maxBytes) continue;
        used.push(lexeme);
        bytes += lexeme.bytes;
        positions.push(position);
      } else if (positions.length < maxPositions && positions[positions.length - 1] !== position)
        positions.push(position);
    }
  }

  /** The format of tsvectorrecv; the server sorts. */
  function write(): Buffer {
    let size = 4 + bytes;
    for (const { positions } of used) size += 3 + 2 * positions.length;
    const buffer = Buffer.allocUnsafe(size);
    let at = buffer.writeInt32BE(used.length, 0);
    // Byte by byte: calls into Buffer for so few bytes each take twice as long as all else.
    for (const { ascii, utf8, positions } of used) {
      if (ascii !== null) for (let i = 0; i < ascii.length; i += 1) buffer[at++] = ascii.charCodeAt(i);
      else if (utf8) for (let i = 0; i < utf8.length; i += 1) buffer[at++] = utf8[i] as number;
      // Ends the name; then the count of positions in two bytes.
      buffer[at++] = 0;
      buffer[at++] = 0;
      buffer[at++] = positions.length;
      for (let i = 0; i < positions.length; i += 1) {
        const place = positions[i] as number;
        buffer[at++] = place >> 8;
        buffer[at++] = place & 0xff;
      }
      positions.length = 0;
    }
    return buffer;
  }

  return (parts) => {
    used = [];
    bytes = 0;
    position = 0;
    for (const part of parts) {
      eachWord(part, take);
      // No phrase goes from a heading into the text.
      position += 1;
    }
    const encoded = write();
    if (known.size > maxKnown) {
      known.clear();
      lexemes.clear();
    }
    return encoded;
  };
}

const encoders: Record<Language, WordEncoder> = {
  simple: createWordEncoder('simple'),
  english: createWordEncoder('english'),
  vietnamese: createWordEncoder('vietnamese'),
};

/** The words of a chunk for a column `tsvector`, in binary: those of its headings, then those of its text. */
export function encodeWords(headingPath: readonly string[], text: string, language: Language): Buffer {
  return encoders[language]([...headingPath, text]);
}
