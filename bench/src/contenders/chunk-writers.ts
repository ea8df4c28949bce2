import { randomUUID } from 'node:crypto';
import type { Pool } from '@sluice/pool';
import { encodeVector } from '@sluice/store';
import { createLangChainStore } from './lang-chain.ts';
import type { Peer } from './pg-pool.ts';

export interface ChunkRow {
  id: string;
  text: string;
  metadata: Record<string, unknown>;
  vector: Float32Array;
}

/** Writes all rows into the table `name`, which is empty. */
export interface ChunkWriter {
  name: string;
  write(table: string, rows: readonly ChunkRow[]): Promise<void>;
}

/** In one transaction or statement, for everybody who sends rows. */
const rowsAtOnce = 500;

// The columns that PGVectorStore makes by itself.
export const chunkTableSql = (table: string, dimensions: number) => `create table ${table} (
  id uuid primary key default gen_random_uuid(), text text, metadata jsonb, embedding vector(${dimensions}))`;

function* slices(rows: readonly ChunkRow[]): Generator<readonly ChunkRow[]> {
  for (let start = 0; start < rows.length; start += rowsAtOnce) yield rows.slice(start, start + rowsAtOnce);
}

const columns = [
  { name: 'id', type: 'uuid' },
  { name: 'text', type: 'text' },
  { name: 'metadata', type: 'jsonb' },
  { name: 'embedding', type: 'vector' },
];

function* fieldsOf(rows: readonly ChunkRow[]): Generator<Buffer[]> {
  for (const { id, text, metadata, vector } of rows) {
    const json = Buffer.concat([Buffer.from([1]), Buffer.from(JSON.stringify(metadata))]);
    yield [Buffer.from(id.replaceAll('-', ''), 'hex'), Buffer.from(text), json, encodeVector(vector)];
  }
}

/** As chunks are written: binary COPY on the bulk lane, a transaction each. A worker has two of them under way at once. */
export function copyWriter(pool: Pool, streams = 2): ChunkWriter {
  return {
    name: streams === 1 ? 'ours, one stream' : 'ours',
    async write(table, rows) {
      const waiting = slices(rows);
      async function stream(): Promise<void> {
        for (const slice of waiting) await pool.copyFrom('bulk', { table, columns }, fieldsOf(slice));
      }
      await Promise.all(Array.from({ length: streams }, stream));
    },
  };
}

/** The limit: the server reads the same rows from a file of its own. */
export function serverSideCopy(pool: Pool, file: string): ChunkWriter {
  return {
    name: 'server-side COPY',
    async write(table) {
      await pool.query(`copy ${table} from '${file}' (format binary)`);
    },
  };
}

/** What is usually written by hand. */
export function multiRowWriter({ pool }: Peer): ChunkWriter {
  return {
    name: 'multi-row text',
    async write(table, rows) {
      for (const slice of slices(rows)) {
        const tuples = slice.map((_, i) => `($${i * 4 + 1}, $${i * 4 + 2}, $${i * 4 + 3}, $${i * 4 + 4})`);
        const values = slice.flatMap(({ id, text, metadata, vector }) => {
          return [id, text, metadata, `[${vector.join(',')}]`];
        });
        await pool.query(
          `insert into ${table} (id, text, metadata, embedding) values ${tuples.join()}`,
          values,
        );
      }
    },
  };
}

/** LangChain.js' PGVectorStore, with its own statements of 500 rows. */
export function langChainWriter(peer: Peer): ChunkWriter {
  return {
    name: 'LangChain.js',
    async write(table, rows) {
      const store = await createLangChainStore(peer, table, rowsAtOnce);
      // It takes arrays of numbers; whoever embeds has them.
      await store.addVectors(
        rows.map(({ vector }) => Array.from(vector)),
        rows.map(({ text, metadata }) => ({ pageContent: text, metadata })),
        { ids: rows.map(({ id }) => id) },
      );
    },
  };
}

const sentence =
  'The tenderer shall submit the guarantee together with the offer, in the form of annex four. ';

/** Texts of about 450 characters, unit vectors; the same in every run. */
export function chunkRows(count: number, dimensions: number): ChunkRow[] {
  return Array.from({ length: count }, (_, i) => {
    const raw = Float32Array.from({ length: dimensions }, (_, d) => Math.sin(i * 12.9898 + d * 78.233));
    const length = Math.hypot(...raw);
    return {
      id: randomUUID(),
      text: `${i} ${sentence.repeat(5)}`,
      metadata: { place: i, language: 'en' },
      vector: raw.map((value) => value / length),
    };
  });
}
