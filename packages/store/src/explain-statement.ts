import type { Queryable } from '@sluice/pool';

// What made the statement slow, such as a lock, may hold up its plan as well.
const timeoutMs = 1_000;

/**
 * The plan that the server makes for a statement whatever its parameters are, line by line. Runs nothing of it. Fails before Postgres 16, which
 * cannot do without values. `statement` is one of ours, never somebody's input.
 */
export async function explainStatement(db: Queryable, statement: string): Promise<string[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const sql = `explain (generic_plan) ${statement}`;
  const { rows } = await db.query<{ 'QUERY PLAN': string }>(sql, [], { signal });
  return rows.map((row) => row['QUERY PLAN']);
}
