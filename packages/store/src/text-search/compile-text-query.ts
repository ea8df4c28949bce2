import { type Language, lexemesOf, prefixesOf } from './lexemes.ts';
import type { TextQuery, TextTerm } from './parse-text-query.ts';
import type { WordStatistics } from './word-statistics.ts';

/** A term as texts of the type `tsquery`. */
export interface RankedTerm {
  /** However it is written. */
  base: string;
  /** As it is written in the query; null where that is the base. */
  exact: string | null;
  phrase: boolean;
}

export interface CompiledText {
  /** What a chunk has to match, as text of the type `tsquery`; null: none does. */
  match: string | null;
  /** What no hit may match; null: anything. */
  excluded: string | null;
  /** By what those that match are ranked. */
  terms: RankedTerm[];
}

/** `all`: every clause has to match. `any`: phrases in quotation marks have to, and of the rest one term at least. */
export type Combination = 'all' | 'any';

// Each is evaluated for each chunk that matches.
const maxRankedTerms = 24;
/** Chunks that the words of a question may match before the commonest of them only rank. */
const anyWordMatches = 2_000;

/** A lexeme as tsquery reads it: nothing in quotation marks is an operator. */
const quote = (lexeme: string) => `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

function prefixQuery(word: string, language: Language): string {
  const { base, exact } = prefixesOf(word);
  // A stem may be shorter than the beginning that is asked for.
  return language === 'english' ? `(${quote(base)}:* | ${quote(exact)}:*)` : `${quote(base)}:*`;
}

function compileTerm({ words, prefix }: TextTerm, language: Language): RankedTerm | undefined {
  const base: string[] = [];
  const exact: string[] = [];
  let differs = false;
  for (const [i, word] of words.entries()) {
    const lexemes = lexemesOf(word, language);
    if (lexemes.base === '') continue;
    const begins = prefix && i === words.length - 1;
    base.push(begins ? prefixQuery(word, language) : quote(lexemes.base));
    exact.push(quote(lexemes.exact ?? lexemes.base) + (begins ? ':*' : ''));
    differs ||= lexemes.exact !== null;
  }
  if (base.length === 0) return undefined;
  return {
    base: base.join(' <-> '),
    exact: differs ? exact.join(' <-> ') : null,
    phrase: base.length > 1,
  };
}

const isTerm = (term: RankedTerm | undefined): term is RankedTerm => term !== undefined;
const oneOf = (terms: readonly RankedTerm[]) => terms.map(({ base }) => `(${base})`).join(' | ');

function unique(terms: readonly RankedTerm[]): RankedTerm[] {
  return [...new Map(terms.map((term) => [`${term.base} ${term.exact}`, term])).values()];
}

/** The share of chunks that have all words of a term is at most that of its rarest one. */
function shareOf(term: TextTerm, language: Language, statistics: WordStatistics): number {
  const words = term.prefix ? term.words.slice(0, -1) : term.words;
  return Math.min(1, ...words.map((word) => statistics.shareOf(lexemesOf(word, language).base)));
}

/** The rarest first, and as many as match a bounded number of chunks; one at least. */
function findingTerms(
  terms: readonly TextTerm[],
  language: Language,
  statistics: WordStatistics,
): TextTerm[] {
  const shares = terms.map((term) => ({ term, share: shareOf(term, language, statistics) }));
  let matches = 0;
  return shares
    .sort((a, b) => a.share - b.share)
    .filter(({ share }, i) => {
      matches += share * statistics.chunks;
      return i === 0 || matches <= anyWordMatches;
    })
    .map(({ term }) => term);
}

export function compileTextQuery(
  { clauses, excluded }: TextQuery,
  language: Language,
  combination: Combination,
  statistics: WordStatistics,
): CompiledText {
  const compiled = (terms: readonly TextTerm[]) =>
    unique(terms.map((term) => compileTerm(term, language)).filter(isTerm));
  const all = clauses.flat();
  const quoted = all.filter((term) => term.quoted);
  const free = all.filter((term) => !term.quoted);
  const required = combination === 'all' ? clauses.map(compiled) : quoted.map((term) => compiled([term]));
  if (combination === 'any' && required.length === 0) {
    required.push(compiled(findingTerms(free, language, statistics)));
  }
  const parts = required.filter((terms) => terms.length > 0).map((terms) => `(${oneOf(terms)})`);
  const without = excluded.length > 0 ? oneOf(compiled(excluded)) : '';
  return {
    match: parts.length === 0 ? null : [...parts, ...(without ? [`!(${without})`] : [])].join(' & '),
    excluded: without || null,
    terms: compiled(all).slice(0, maxRankedTerms),
  };
}
