import type { Queryable } from '@sluice/pool';
import { chunkTable } from '../chunk-table.ts';

/** What the server has gathered of the words of a collection (ANALYZE, which autovacuum does by itself). */
export interface WordStatistics {
  /** 0: not known. */
  chunks: number;
  /** Share of the chunks that have a lexeme; of rare ones what it is at most. */
  shareOf(lexeme: string): number;
}

export const noStatistics: WordStatistics = { chunks: 0, shareOf: () => 0 };

interface StatisticsRow extends Record<string, unknown> {
  chunks: number;
  lexemes: string[] | null;
  shares: number[] | null;
}

export async function readWordStatistics(db: Queryable, collectionId: number): Promise<WordStatistics> {
  const { rows } = await db.query<StatisticsRow>(
    `select greatest(0, c.reltuples)::float8 as chunks, s.most_common_elems::text::text[] as lexemes,
       s.most_common_elem_freqs::float8[] as shares
     from pg_class c
     left join pg_stats s on s.schemaname = 'sluice' and s.tablename = c.relname and s.attname = 'words'
     where c.oid = to_regclass($1::text)`,
    [chunkTable(collectionId)],
  );
  const { chunks = 0, lexemes, shares } = rows[0] ?? {};
  if (!lexemes || !shares) return { ...noStatistics, chunks };
  const known = new Map(lexemes.map((lexeme, i) => [lexeme, shares[i] as number]));
  // Behind those of the lexemes stand the least and the greatest of them.
  const least = shares[lexemes.length] ?? 0;
  return { chunks, shareOf: (lexeme) => known.get(lexeme) ?? least };
}
