import type { Transaction } from '@sluice/pool';
import { chunkTable } from '../chunk-table.ts';
import { bumpGeneration } from '../collections.ts';
import { encodeWords } from './encode-words.ts';
import { languageOf } from './lexemes.ts';

interface WordlessRow extends Record<string, unknown> {
  id: string;
  text: string;
  headingPath: string[];
}

/**
 * Makes the words of up to `limit` chunks that have none. Returns how many. Chunks that somebody has locked are left for the next
 * call: so it never waits for a publication, and none deadlocks with it.
 */
export async function fillWords(
  transaction: Transaction,
  { id, language }: { id: number; language: string },
  limit: number,
): Promise<number> {
  // First, as everybody does who locks rows of a collection: its deletion waits here, and not in the middle.
  const held = await transaction.query('select from sluice.collections where id = $1::bigint for key share', [
    id,
  ]);
  if (held.rowCount === 0) return 0;
  const table = chunkTable(id);
  const { rows } = await transaction.query<WordlessRow>(
    `select id, text, heading_path as "headingPath" from ${table} where words is null
     limit $1::int for update skip locked`,
    [limit],
  );
  if (rows.length === 0) return 0;
  const tuples = rows.map((_, i) => `($${2 * i + 1}::uuid, $${2 * i + 2}::tsvector)`);
  await transaction.query(
    `update ${table} c set words = made.words from (values ${tuples.join(', ')}) made (id, words) where c.id = made.id`,
    rows.flatMap((row) => [row.id, encodeWords(row.headingPath, row.text, languageOf(language))]),
  );
  await bumpGeneration(transaction, id);
  return rows.length;
}
