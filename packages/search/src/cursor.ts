import { maxEffort } from './effort.ts';
import { SearchError } from './errors.ts';
import type { IndexUsed, Way } from './find-chunks.ts';

/** Where the next page begins, and what it has to have in common with the ones before. */
export interface Cursor {
  offset: number;
  /** How many hits of each search became one list. */
  depth: number;
  /** Of each collection. */
  generations: number[];
  /** Of each search. */
  ways: Way[];
  /** Of the request without its cursor. */
  fingerprint: string;
}

export function writeCursor({ offset, depth, generations, ways, fingerprint }: Cursor): string {
  return Buffer.from(JSON.stringify([offset, depth, generations, ways, fingerprint])).toString('base64url');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const indexes: readonly unknown[] = ['hnsw', 'filter', 'exact', 'gin'] satisfies IndexUsed[];
function isWay(value: unknown): value is Way {
  const { index, effort } = (value ?? {}) as Partial<Way>;
  const isEffort = isCount(effort) && effort >= 1 && effort <= maxEffort;
  return indexes.includes(index) && (index === 'hnsw' ? isEffort : effort === null);
}
const listOf = <T>(value: unknown, is: (member: unknown) => member is T): value is T[] =>
  Array.isArray(value) && value.every(is);

/** The cursor, if it is one of this request. Throws `cursor_invalid`. */
export function readCursor(text: string, fingerprint: string): Cursor {
  const parts = parse(text);
  const [offset, depth, then, ways, of] = Array.isArray(parts) ? parts : [];
  if (!isCount(offset) || !isCount(depth) || !listOf(then, isCount) || !listOf(ways, isWay)) {
    throw new SearchError('cursor_invalid', 'the cursor is not one of ours: leave it out to begin anew');
  }
  if (of !== fingerprint) {
    throw new SearchError(
      'cursor_invalid',
      'the cursor belongs to another request: only k, fields, context and explain may change from page to page',
    );
  }
  return { offset, depth, generations: then, ways, fingerprint };
}

/** Throws `cursor_expired` when the collections were at other generations when the cursor was made. */
export function requireSameContents(cursor: Cursor, generations: readonly number[]): void {
  if (cursor.generations.join() === generations.join()) return;
  throw new SearchError(
    'cursor_expired',
    'the collection has changed since the page before, so that its pages are others now: leave the cursor out to begin anew',
    { given: cursor.generations, expected: generations },
  );
}
