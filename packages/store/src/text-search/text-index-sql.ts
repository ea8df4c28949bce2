import { chunkTable, type VectorIndex } from '../chunk-table.ts';

/**
 * What a collection keeps of the words of its chunks.
 *
 * - `off`: nothing.
 * - `filling`: those of chunks from before are being made; new chunks bring theirs.
 * - `deferred`: all of them. Searches scan until the initial load has ended and the index was built.
 * - `none`: all of them, and searches scan for good, as those by vectors do.
 * - `gin`: all of them, with an index.
 */
export type TextIndex = 'off' | 'filling' | 'deferred' | 'none' | 'gin';

/** Of a collection that has no chunks yet. */
export function firstTextIndex(vectorIndex: VectorIndex): TextIndex {
  return vectorIndex === 'hnsw' ? 'gin' : vectorIndex;
}

export const textIndexOf = (collectionId: number) => `${chunkTable(collectionId)}_words`;
export const missingWordsIndexOf = (collectionId: number) => `${chunkTable(collectionId)}_wordless`;

const nameOf = (index: string) => index.replace('sluice.', '');

/** `options`: words behind CREATE INDEX. */
export function createTextIndexSql(collectionId: number, options = ''): string {
  // A search reads what is pending (fastupdate) from end to end, so that less of it may gather than by default.
  return `create index ${options} ${nameOf(textIndexOf(collectionId))} on ${chunkTable(collectionId)}
    using gin (words) with (gin_pending_list_limit = 1024)`;
}

/** Of chunks whose words are missing, which are none but while they are being made. */
export function createMissingWordsIndexSql(collectionId: number, options = ''): string {
  return `create index ${options} ${nameOf(missingWordsIndexOf(collectionId))} on ${chunkTable(collectionId)} (id)
    where words is null`;
}
