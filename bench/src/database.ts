import { join } from 'node:path';
import { createPool } from '@sluice/pool';
import { encodeVector } from '@sluice/store';
import { type RunningPostgres, startPostgres } from '@sluice/testing';
import { createVectors } from './contenders/clustered-vectors.ts';

export const passages = { rows: 10_000, dimensions: 1_536, k: 10 };
const clusters = { dimensions: passages.dimensions, centres: 200, noise: 1 };

/** Postgres with the settings of the deployment, and room for all contenders at once. */
export async function startDatabase(): Promise<RunningPostgres> {
  const server = await startPostgres({
    configFile: join(import.meta.dirname, '../../deploy/postgres.conf'),
    settings: { max_connections: 400 },
  });
  await using pool = createPool({ connectionString: server.url });
  await pool.query('create extension vector');
  return server;
}

const texts =
  'The tenderer shall submit the guarantee together with the offer, in the form set out in annex four. ';

/** The table that searches run on: clustered unit vectors, like those of texts, behind HNSW; same in every run. */
export async function loadPassages(connectionString: string): Promise<void> {
  await using pool = createPool({ connectionString });
  await pool.query(
    `create table passages (id int4 primary key, text text not null, embedding vector(${passages.dimensions}) not null)`,
  );
  const columns = Object.entries({ id: 'int4', text: 'text', embedding: 'vector' }).map(([name, type]) => ({
    name,
    type,
  }));
  const next = createVectors(clusters, 1);
  function* rows() {
    for (let i = 0; i < passages.rows; i += 1) {
      const id = Buffer.alloc(4);
      id.writeInt32BE(i);
      yield [id, Buffer.from(texts.repeat(1 + (i % 9))), encodeVector(next())];
    }
  }
  await pool.copyFrom('bulk', { table: 'passages', columns }, rows());
  await pool.query('create index on passages using hnsw (embedding vector_cosine_ops)');
  await pool.query('vacuum analyze passages');
}

/** As the wire wants them, so that encoding is not measured. */
export function searchVectors(count: number): Buffer[] {
  const next = createVectors(clusters, 2);
  return Array.from({ length: count }, () => encodeVector(next()));
}
