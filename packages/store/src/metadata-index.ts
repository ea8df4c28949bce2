import { createHash } from 'node:crypto';
import { chunkTable } from './chunk-table.ts';

export type MetadataType = 'text' | 'number' | 'boolean' | 'datetime';

/** A field of metadata whose values have an index of their own. */
export interface MetadataIndex {
  /** Its keys, outermost first, joined by dots. */
  field: string;
  type: MetadataType;
}

/** Characters of a text that are indexed: an entry of a B-tree holds 2 700 bytes at most, or the row could not be written. */
export const indexedCharacters = 256;

/** The value of a JSON expression where it is of that type, else null. */
export function typedValue(json: string, type: MetadataType): string {
  switch (type) {
    case 'number':
      return `case when jsonb_typeof(${json}) = 'number' then (${json})::numeric end`;
    case 'boolean':
      return `case when jsonb_typeof(${json}) = 'boolean' then (${json})::boolean end`;
    case 'datetime':
      return `sluice.instant(${json})`;
    case 'text':
      // By code points, whatever the collation of the database.
      return `(case when jsonb_typeof(${json}) = 'string' then ${json} #>> '{}' end) collate "C"`;
  }
}

const segment = /^[\p{L}\p{N}_-]+$/u;

/**
 * What is indexed, and what a filter has to say for the index to be used. With the keys as literals: the planner finds an
 * index on an expression by comparing expressions, and a parameter is none of its constants in a generic plan.
 */
export function indexedValue({ field, type }: MetadataIndex): string {
  const keys = field.split('.');
  if (!keys.every((key) => segment.test(key))) throw new TypeError(`field ${field}`);
  const json = `(metadata ${keys.map((key) => `-> '${key}'`).join(' ')})`;
  const value = typedValue(json, type);
  return type === 'text' ? `left(${value}, ${indexedCharacters})` : value;
}

export function metadataIndexName(collectionId: number, { field, type }: MetadataIndex): string {
  const table = chunkTable(collectionId).replace('sluice.', '');
  // Names have 63 bytes at most, fields more.
  return `${table}_by_${type}_${createHash('sha256').update(field).digest('hex').slice(0, 12)}`;
}

/** `options`: words behind CREATE INDEX. */
export function createMetadataIndexSql(collectionId: number, index: MetadataIndex, options = ''): string {
  return `create index ${options} ${metadataIndexName(collectionId, index)} on ${chunkTable(collectionId)} ((${indexedValue(index)}))`;
}
