import { eachWord } from './each-word.ts';

/** Words that have to stand next to each other, or one word. */
export interface TextTerm {
  words: string[];
  /** The last word is only the beginning of one. */
  prefix: boolean;
  /** In quotation marks. */
  quoted: boolean;
}

export interface TextQuery {
  /** Of each, one term at least is asked for. */
  clauses: TextTerm[][];
  excluded: TextTerm[];
}

// A term begins behind white space; what is in quotation marks that are never closed reaches to the end.
const termPattern = /(?<minus>-?)(?:["“”](?<quoted>[^"“”]*)(?:["“”]|$)|(?<plain>[^\s"“”]+))(?<star>\*?)/gu;

const isPunctuated = /\*\p{P}*$/u;

function termOf(text: string, quoted: boolean, starred: boolean): TextTerm | undefined {
  const words: string[] = [];
  eachWord(text, (word) => words.push(word));
  if (words.length === 0) return undefined;
  return { words, quoted, prefix: starred || (!quoted && isPunctuated.test(text)) };
}

/**
 * As web searches have it: words, `"a phrase"`, `-without`, `one or other`, `begin*`. Every text is a query; what makes no sense
 * is taken for words. A word with hyphens or dots in it is a phrase of its parts.
 */
export function parseTextQuery(text: string): TextQuery {
  const clauses: TextTerm[][] = [];
  const excluded: TextTerm[] = [];
  let alternative = false;
  for (const { groups } of text.normalize('NFC').matchAll(termPattern)) {
    const { minus, quoted, plain = '', star } = groups as Record<string, string | undefined>;
    if (!minus && plain.toLowerCase() === 'or' && !star) {
      alternative = clauses.length > 0;
      continue;
    }
    const term = termOf(quoted ?? plain, quoted !== undefined, star === '*');
    if (!term) continue;
    const last = clauses.at(-1);
    if (minus) excluded.push(term);
    else if (alternative && last) last.push(term);
    else clauses.push([term]);
    alternative = false;
  }
  return { clauses, excluded };
}
