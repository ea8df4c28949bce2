import type { Benchmark, BenchmarkContext } from '../benchmark.ts';
import { type Clusters, createVectors } from '../contenders/clustered-vectors.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { createPgBench } from '../contenders/pgbench.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import {
  barePg,
  connectionPerQuery,
  exact,
  langChain,
  nearestSql,
  openPool,
  ours,
  pgPoolText,
  type VectorSearcher,
} from '../contenders/vector-searchers.ts';
import { errors, p50, p95, runClosedLoop, throughput } from '../measure/load.ts';
import { recall, recallOf, truthOf } from '../measure/recall.ts';
import { alternate, type Case } from '../measure/rounds.ts';

const callers = 8;
const effort = 100;

interface Table extends Clusters {
  rows: number;
}

const tables: Table[] = [
  { rows: 10_000, dimensions: 1_536, centres: 200, noise: 1 },
  { rows: 100_000, dimensions: 384, centres: 2_000, noise: 1 },
];

async function measureTable(context: BenchmarkContext, table: Table): Promise<Case> {
  const server = await context.server();
  const rows = context.quick ? 2_000 : table.rows;
  const name = `${new Intl.NumberFormat('fr').format(rows)} x ${table.dimensions}`;
  context.progress(`${name}: loading vectors and building their index`);
  const contents = { database: `store_${table.dimensions}`, rows, dimensions: table.dimensions };
  const nextVector = createVectors(table, 1);
  const { url, collection } = await createSearchedDatabase(server.url, { ...contents, nextVector });
  await using pool = openPool(url, effort);
  await pool.query(`alter database ${contents.database} set hnsw.ef_search = ${effort}`);
  await pool.query(`alter database ${contents.database} set jit = off`);
  const asked = Array.from({ length: 200 }, createVectors(table, 2));
  const truth = await truthOf(exact(pool, collection).search, asked);

  const pace = context.quick ? { rampMs: 50, measureMs: 300 } : { rampMs: 300, measureMs: 2_000 };
  await using peer = createPgPool('pg-pool', { connectionString: url, max: 20 });
  await using bare = await barePg(url, collection, callers);
  const searchers: VectorSearcher[] = [
    ours(pool, collection),
    bare,
    pgPoolText(peer, collection),
    await langChain(peer, collection),
    connectionPerQuery(url, collection),
  ];
  const contenders = searchers.map(({ name, search }) => ({
    name,
    async measure() {
      let next = 0;
      const call = () => search(asked[next++ % asked.length] as Float32Array);
      const figures = await runClosedLoop({ callers, ...pace, call });
      return { ...figures, recall: await recallOf(search, truth) };
    },
  }));
  const pgbench = await createPgBench(server, pool, collection, asked);
  const sameSearch = async (vector: Float32Array) => {
    const at = asked.indexOf(vector);
    const { rows } = await pool.query<{ id: string }>(
      nearestSql(collection, '(select embedding from bench_asked where id = $1::int)'),
      [at],
    );
    return rows.map(({ id }) => id);
  };
  contenders.push({
    name: 'pgbench',
    async measure() {
      const figures = await pgbench.measure(callers, Math.max(1, pace.measureMs / 1_000));
      return { ...figures, recall: await recallOf(sameSearch, truth) };
    },
  });
  return await alternate(name, contenders, { rounds: context.quick ? 1 : 5, onRound: context.progress });
}

export const storeSearch: Benchmark = {
  name: 'store-search',
  title: 'Searching vectors',
  what: `The 10 nearest chunks by ${callers} callers, each of whom asks again as soon as it has its answer; on the same server, the same table (cosine,
HNSW), the same 200 vectors, which are not in the table, and the same effort for everybody (\`hnsw.ef_search = ${effort}\`). The vectors are
clustered: 200 or 2 000 centres, around which they spread as far as the centres do. recall@10 is the share of what comparing with all vectors finds.

\`ours\` is \`searchChunks\`, the vector encoded in binary, prepared, through the pool; it also brings the document of each chunk, page, headings and
places, for which it joins the table of documents. \`bare pg\` is the limit of one Node process: ${callers} clients of \`pg\` without a pool, prepared, binary, id and text and metadata only.
\`pgbench\` is the limit of the server: the same statement, prepared, from C, with vectors that are in the server already. \`pg-pool, text\` is what is usually written by hand, \`LangChain.js\` is
\`PGVectorStore.similaritySearchVectorWithScore\`, which fetches the vectors too, and \`connection per query\` connects over TCP on the same machine, without TLS and password.`,

  async run(context) {
    const cases: Case[] = [];
    for (const table of tables) cases.push(await measureTable(context, table));
    const peers = ['bare pg', 'pgbench', 'pg-pool, text', 'LangChain.js', 'connection per query'];
    return {
      cases,
      comparisons: [{ ours: 'ours', peers, metrics: [throughput] }],
      metrics: [throughput, p50, p95, errors, recall],
    };
  },
};
