import { createPool } from '@sluice/pool';
import { measureRecall } from '@sluice/search';
import { type Collection, searchChunks } from '@sluice/store';
import type { Benchmark, BenchmarkContext } from '../benchmark.ts';
import { type Clusters, createVectors } from '../contenders/clustered-vectors.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import { k, type VectorSearcher } from '../contenders/vector-searchers.ts';
import { errors, p50, p95, runClosedLoop, throughput } from '../measure/load.ts';
import { recall as recallMetric, recallOf, truthOf } from '../measure/recall.ts';
import { alternate, type Case, type Metric } from '../measure/rounds.ts';

const callers = 8;
const unmeasured = 100;
const target = 0.99;
const effortMetric: Metric = { key: 'effort', title: 'ef_search', better: 'lower' };

const shapes: (Clusters & { name: string })[] = [
  { name: 'strongly clustered', dimensions: 384, centres: 2_000, noise: 0.5 },
  { name: 'weakly clustered', dimensions: 384, centres: 2_000, noise: 2 },
];

async function measureShape(context: BenchmarkContext, clusters: (typeof shapes)[number]): Promise<Case> {
  const { url: server } = await context.server();
  const rows = context.quick ? 3_000 : 100_000;
  context.progress(`${clusters.name}: loading vectors and building their index`);
  const contents = { database: 'recall', rows, dimensions: clusters.dimensions };
  const nextVector = createVectors(clusters, 1);
  const { url, collection } = await createSearchedDatabase(server, { ...contents, nextVector });
  const settings = { jit: 'off', 'hnsw.iterative_scan': 'strict_order' };
  await using pool = createPool({ connectionString: url, settings });
  const db = pool.lane('interactive');
  const asked = Array.from({ length: context.quick ? 50 : 300 }, createVectors(clusters, 2));
  const searcher = (name: string, effort: number | null): VectorSearcher => ({
    name,
    async search(vector) {
      const access = effort === null ? 'scan' : 'index';
      const query = { vector, limit: k, access, effort: effort ?? undefined } as const;
      return (await searchChunks(db, collection, query)).map(({ id }) => id);
    },
  });
  const chosen = await chosenEffort(context, pool, collection);
  context.progress(`${clusters.name}: comparing with exact search`);
  const truth = await truthOf(searcher('exact', null).search, asked);

  const pace = context.quick ? { rampMs: 50, measureMs: 200 } : { rampMs: 300, measureMs: 1_500 };
  const efforts = new Map([
    ['chosen', chosen],
    ['before it is measured', unmeasured],
    ['as pgvector comes', 40],
  ]);
  const contenders = [...efforts].map(([name, effort]) => {
    const { search } = searcher(name, effort);
    return {
      name,
      async measure() {
        let next = 0;
        const call = () => search(asked[next++ % asked.length] as Float32Array);
        const figures = await runClosedLoop({ callers, ...pace, call });
        return { ...figures, recall: await recallOf(search, truth), effort };
      },
    };
  });
  const exact = searcher('exact', null);
  contenders.push({
    name: 'exact',
    async measure() {
      let next = 0;
      const call = () => exact.search(asked[next++ % asked.length] as Float32Array);
      return { ...(await runClosedLoop({ callers, ...pace, call })), recall: 1, effort: Number.NaN };
    },
  });
  const rounds = { rounds: context.quick ? 1 : 3, onRound: context.progress };
  return await alternate(clusters.name, contenders, rounds);
}

/** As workers choose it, by queries of their own. */
async function chosenEffort(
  context: BenchmarkContext,
  pool: ReturnType<typeof createPool>,
  collection: Collection,
): Promise<number> {
  const options = { target, unmeasured, sample: 200, budgetMs: 30_000 };
  const measured = await measureRecall(pool.lane('control'), collection, options);
  context.progress(`${measured?.sampleSize} queries measured: effort ${measured?.effort}`);
  return measured?.effort ?? unmeasured;
}

export const recall: Benchmark = {
  name: 'recall',
  title: 'Recall, and what it costs',
  what: `recall@10 against exact search, and searches a second by ${callers} callers, on 100 000 vectors of 384 dimensions (cosine, HNSW as pgvector builds it): strongly clustered (2 000 centres, around
which vectors spread half as far as the centres do) and weakly clustered (twice as far). Asked are 300 vectors from around the same centres that are not in the table. \`chosen\` is the effort (\`hnsw.ef_search\`) that
the sampler of the workers chooses to hold ${target}, by queries that it makes of stored chunks; \`before it is measured\` is the default of ${unmeasured}, \`as pgvector comes\` is 40, and \`exact\` compares all vectors.`,

  async run(context) {
    const cases: Case[] = [];
    for (const shape of shapes) cases.push(await measureShape(context, shape));
    const peers = ['before it is measured', 'as pgvector comes', 'exact'];
    return {
      cases,
      comparisons: [{ ours: 'chosen', peers, metrics: [throughput, recallMetric] }],
      metrics: [effortMetric, recallMetric, throughput, p50, p95, errors],
    };
  },
};
