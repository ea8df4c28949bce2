import { createPool, type Pool } from '@sluice/pool';
import type { Benchmark } from '../benchmark.ts';
import {
  type ChunkRow,
  type ChunkWriter,
  chunkRows,
  chunkTableSql,
  copyWriter,
  langChainWriter,
  multiRowWriter,
  serverSideCopy,
} from '../contenders/chunk-writers.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { alternate, type Case, type Metric } from '../measure/rounds.ts';

const rate: Metric = { key: 'rate', title: 'rows/s', better: 'higher' };
const table = 'inserted';

/** When the index is made: before or after the rows. */
type IndexTime = 'before' | 'after' | 'never';

const hnsw = `create index on ${table} using hnsw (embedding vector_cosine_ops)`;

async function timeInsert(
  pool: Pool,
  writer: ChunkWriter,
  rows: readonly ChunkRow[],
  index: IndexTime,
): Promise<{ rate: number }> {
  const dimensions = rows[0]?.vector.length as number;
  await pool.query(`drop table if exists ${table}`);
  await pool.query(chunkTableSql(table, dimensions));
  if (index === 'before') await pool.query(hnsw);
  await pool.query('checkpoint');
  const start = performance.now();
  await writer.write(table, rows);
  if (index === 'after') {
    // As the index builder of the workers does it.
    await pool.session('bulk', async (lease) => {
      await lease.query(
        `select set_config('maintenance_work_mem', '512MB', false), set_config('max_parallel_maintenance_workers', '2', false)`,
      );
      await lease.query(hnsw.replace('create index', 'create index concurrently'));
    });
  }
  const seconds = (performance.now() - start) / 1_000;
  const { rows: counted } = await pool.query<{ count: number }>(`select count(*) as count from ${table}`);
  if (counted[0]?.count !== rows.length) throw new Error(`${writer.name} wrote ${counted[0]?.count} rows`);
  return { rate: rows.length / seconds };
}

/** A file of the server's with the rows in the binary format. */
async function writeFileOnServer(pool: Pool, rows: readonly ChunkRow[], name: string): Promise<string> {
  const { rows: settings } = await pool.query<{ folder: string }>(
    `select setting as folder from pg_settings where name = 'data_directory'`,
  );
  const file = `${settings[0]?.folder}/bench-${name}.copy`;
  await pool.query('drop table if exists insert_source');
  await pool.query(chunkTableSql('insert_source', rows[0]?.vector.length as number));
  await copyWriter(pool).write('insert_source', rows);
  await pool.query(`copy insert_source to '${file}' (format binary)`);
  await pool.query('drop table insert_source');
  return file;
}

export const bulkInsert: Benchmark = {
  name: 'bulk-insert',
  title: 'Writing vectors',
  what: `Rows of an id, a text of 450 characters, metadata and a vector into an empty table, without a vector index and
with HNSW. \`ours\` is binary COPY in transactions of 500 rows through the bulk lane, encoding included, two at once, as a worker writes chunks; with
HNSW it loads first and builds the index afterwards with two parallel helpers, as workers do for a new collection, and the
building is part of the time. \`server-side COPY\` is the limit: the server reads the same rows from its own disk, with HNSW into
an index that is there. \`LangChain.js\` is \`PGVectorStore.addVectors\` of \`@langchain/community\`, \`multi-row text\` is INSERT of 500 rows with vectors as text, both
through \`pg-pool\`, with HNSW into an index that is there.`,

  async run(context) {
    const { url: connectionString } = await context.server();
    await using pool = createPool({ connectionString });
    await using peer = createPgPool('pg-pool', { connectionString, max: 20 });
    const cases: Case[] = [];
    for (const dimensions of [384, 1_536]) {
      for (const indexed of [false, true]) {
        const many = dimensions === 384 ? 50_000 : 25_000;
        const count = context.quick ? 500 : indexed ? 8_000 : many;
        const rows = chunkRows(count, dimensions);
        const file = await writeFileOnServer(pool, rows, `${dimensions}-${count}`);
        const writers: ChunkWriter[] = [
          copyWriter(pool),
          ...(indexed ? [] : [copyWriter(pool, 1)]),
          serverSideCopy(pool, file),
          langChainWriter(peer),
          multiRowWriter(peer),
        ];
        const contenders = writers.map((writer) => ({
          name: writer.name,
          measure: () =>
            timeInsert(pool, writer, rows, indexed ? (writer.name === 'ours' ? 'after' : 'before') : 'never'),
        }));
        const name = `${dimensions} dimensions, ${indexed ? 'HNSW' : 'no index'}`;
        const pace = { rounds: context.quick ? 1 : 3, onRound: context.progress };
        cases.push(await alternate(name, contenders, pace));
      }
    }
    await pool.query(`drop table ${table}`);
    return {
      cases,
      comparisons: [
        { ours: 'ours', peers: ['server-side COPY', 'LangChain.js', 'multi-row text'], metrics: [rate] },
      ],
      metrics: [rate],
    };
  },
};
