import type { Benchmark } from '../benchmark.ts';
import { createVectors } from '../contenders/clustered-vectors.ts';
import {
  exactFiltered,
  langChainFiltered,
  oursFiltered,
  plainFiltered,
} from '../contenders/filtered-searchers.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import { openPool } from '../contenders/vector-searchers.ts';
import { errors, p50, p95, runClosedLoop, throughput } from '../measure/load.ts';
import { recall, recallOf, truthOf } from '../measure/recall.ts';
import { alternate, type Case } from '../measure/rounds.ts';

const callers = 8;
const effort = 100;
const clusters = { dimensions: 384, centres: 2_000, noise: 1 };
/** By key of the metadata: of how many documents one has the value that is asked for. */
const shares = { half: 2, tenth: 10, hundredth: 100, thousandth: 1_000 };

function metadataOf(document: number): Record<string, number> {
  return Object.fromEntries(Object.entries(shares).map(([key, share]) => [key, document % share]));
}

export const filteredSearch: Benchmark = {
  name: 'filtered-search',
  title: 'Filtered searches',
  what: `The 10 nearest of 100 000 chunks of 384 dimensions (cosine, HNSW, \`hnsw.ef_search = ${effort}\` for everybody) whose document's metadata have a value that 50, 10, 1 and
0.1 % of all documents have, with the GIN index on metadata that each collection has, by ${callers} callers. Documents have 10 chunks, and what they have in their metadata has nothing to do with
where their vectors are. recall@10 is against comparing all that the filter lets through, which is what \`exact\` does each time. \`ours\` estimates what a filter lets through, and goes by the vector index
with an iterative scan or past it. \`pgvector as it comes\` is the same statement, prepared and with binary vectors, without an iterative scan; \`LangChain.js\` is \`PGVectorStore\` with its filter, both through \`pg-pool\`.`,

  async run(context) {
    const { url: server } = await context.server();
    context.progress('loading vectors and building their index');
    const rows = context.quick ? 5_000 : 100_000;
    const contents = { database: 'filtered', rows, dimensions: clusters.dimensions, metadata: metadataOf };
    const nextVector = createVectors(clusters, 1);
    const { url, collection } = await createSearchedDatabase(server, { ...contents, nextVector });
    await using pool = openPool(url, effort);
    await pool.query(`alter database ${contents.database} set hnsw.ef_search = ${effort}`);
    await pool.query(`alter database ${contents.database} set jit = off`);
    await using peer = createPgPool('pg-pool', { connectionString: url, max: 20 });
    const asked = Array.from({ length: 100 }, createVectors(clusters, 2));
    const pace = context.quick ? { rampMs: 50, measureMs: 200 } : { rampMs: 300, measureMs: 1_500 };

    const cases: Case[] = [];
    for (const [key, share] of Object.entries(shares)) {
      const condition = { [key]: 1 };
      const exact = exactFiltered(pool, collection, condition);
      const truth = await truthOf(exact.search, asked);
      const searchers = [
        oursFiltered(pool, collection, condition, effort),
        exact,
        plainFiltered(peer, collection, condition),
        await langChainFiltered(peer, collection, condition),
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
      const rounds = { rounds: context.quick ? 1 : 3, onRound: context.progress };
      cases.push(await alternate(`${100 / share} %`, contenders, rounds));
    }
    const peers = ['exact', 'pgvector as it comes', 'LangChain.js'];
    return {
      cases,
      comparisons: [{ ours: 'ours', peers, metrics: [throughput, recall] }],
      metrics: [throughput, p50, p95, errors, recall],
    };
  },
};
