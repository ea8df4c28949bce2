import { passages } from '../database.ts';

/** Same text, same name and same bytes for everybody. */
export const search = {
  name: 'search-passages',
  text: `select id, text, embedding <=> $1::vector(${passages.dimensions}) as distance from passages
    order by embedding <=> $1::vector(${passages.dimensions}) limit $2::int`,
};

/** The two queries of most benchmarks, on somebody's connections. */
export interface Database extends AsyncDisposable {
  readonly name: string;
  selectOne(): Promise<unknown>;
  search(vector: Buffer): Promise<unknown>;
}

export type QueryName = 'select 1' | 'search';

/** One call after the other, over the same vectors in the same order for everybody. */
export function callsOf(database: Database, query: QueryName, vectors: readonly Buffer[]) {
  if (query === 'select 1') return () => database.selectOne();
  let next = 0;
  return () => {
    next = (next + 1) % vectors.length;
    return database.search(vectors[next] as Buffer);
  };
}
