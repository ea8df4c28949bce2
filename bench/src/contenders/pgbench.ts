import type { Pool } from '@sluice/pool';
import { type Collection, encodeVector } from '@sluice/store';
import type { RunningPostgres } from '@sluice/testing';
import type { Figures } from '../measure/rounds.ts';
import { nearestSql } from './vector-searchers.ts';

/** The server with a client that costs next to nothing: `pgbench` runs the same search, with vectors from a table. */
export interface PgBench {
  /** Of this many clients. */
  measure(clients: number, seconds: number): Promise<Figures>;
}

const asked = '(select embedding from bench_asked where id = :id)';

/** As it is: no line holds a delimiter or a quote. */
const asLines = `(format csv, delimiter E'\\x02', quote E'\\x01')`;

export async function createPgBench(
  server: RunningPostgres,
  pool: Pool,
  collection: Collection,
  vectors: readonly Float32Array[],
): Promise<PgBench> {
  await pool.query('drop table if exists bench_asked');
  await pool.query(
    `create table bench_asked (id int primary key, embedding vector(${collection.dimensions}) not null)`,
  );
  for (const [i, vector] of vectors.entries())
    await pool.query('insert into bench_asked values ($1::int, $2::vector)', [i, encodeVector(vector)]);
  const script = [`\\set id random(0, ${vectors.length - 1})`, `${nearestSql(collection, asked)};`];
  const { rows } = await pool.query<{ folder: string; database: string }>(
    `select setting as folder, current_database() as database from pg_settings where name = 'data_directory'`,
  );
  const { folder, database } = rows[0] as { folder: string; database: string };
  const file = `${folder}/pgbench-${database}.sql`;
  const lines = script.map((line) => `$line$${line}$line$`).join(', ');
  await pool.query(`copy (select unnest(array[${lines}])) to '${file}' ${asLines}`);
  return {
    async measure(clients, seconds) {
      const count = ['-c', String(clients), '-j', '2', '-T', String(seconds)];
      const output = await server.runProgram('pgbench', [
        '-n',
        '-M',
        'prepared',
        ...count,
        '-f',
        file,
        database,
      ]);
      const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1]);
      return {
        throughput: figure(/tps = ([\d.]+)/),
        // It tells the mean only.
        p50: Number.NaN,
        p95: Number.NaN,
        errors: figure(/number of failed transactions: (\d+)/),
      };
    },
  };
}
