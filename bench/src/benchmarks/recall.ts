import { startIndexBuilder } from '@sluice/ingestion';
import { createPool, type Pool } from '@sluice/pool';
import { measureRecall } from '@sluice/search';
import { type Collection, listSparseCollections, recordMeasurement, searchChunks } from '@sluice/store';
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

type Search = VectorSearcher['search'];

interface Graph {
  name: string;
  searchAt: (effort: number | null) => Search;
  asked: Float32Array[];
  truth: Awaited<ReturnType<typeof truthOf>>;
  /** `hnsw.ef_search` */
  chosen: number;
}

async function compareEfforts(context: BenchmarkContext, graph: Graph): Promise<Case> {
  const { searchAt, asked, truth } = graph;
  const pace = context.quick ? { rampMs: 50, measureMs: 200 } : { rampMs: 300, measureMs: 1_500 };
  const load = (search: Search) => {
    let next = 0;
    const call = () => search(asked[next++ % asked.length] as Float32Array);
    return runClosedLoop({ callers, ...pace, call });
  };
  const efforts = new Map([
    ['chosen', graph.chosen],
    ['before it is measured', unmeasured],
    ['as pgvector comes', 40],
  ]);
  const contenders = [...efforts].map(([name, effort]) => {
    const search = searchAt(effort);
    return {
      name,
      measure: async () => ({ ...(await load(search)), recall: await recallOf(search, truth), effort }),
    };
  });
  contenders.push({
    name: 'exact',
    measure: async () => ({ ...(await load(searchAt(null))), recall: 1, effort: Number.NaN }),
  });
  const rounds = { rounds: context.quick ? 1 : 3, onRound: context.progress };
  return await alternate(graph.name, contenders, rounds);
}

async function measureShape(context: BenchmarkContext, clusters: (typeof shapes)[number]): Promise<Case[]> {
  const { url: server } = await context.server();
  const rows = context.quick ? 3_000 : 100_000;
  context.progress(`${clusters.name}: loading vectors and building their index`);
  const contents = { database: 'recall', rows, dimensions: clusters.dimensions };
  const nextVector = createVectors(clusters, 1);
  const { url, collection } = await createSearchedDatabase(server, { ...contents, nextVector });
  const settings = { 'hnsw.iterative_scan': 'strict_order', max_parallel_workers_per_gather: '0' };
  await using pool = createPool({ connectionString: url, settings });
  const db = pool.lane('interactive');
  const asked = Array.from({ length: context.quick ? 50 : 300 }, createVectors(clusters, 2));
  const searchAt =
    (effort: number | null): Search =>
    async (vector) => {
      const access = effort === null ? 'scan' : 'index';
      const query = { vector, limit: k, access, effort: effort ?? undefined } as const;
      return (await searchChunks(db, collection, query)).map(({ id }) => id);
    };
  const measured = await sampleRecall(context, pool, collection);
  context.progress(`${clusters.name}: comparing with exact search`);
  const truth = await truthOf(searchAt(null), asked);
  const graph = { searchAt, asked, truth };
  const cases = [
    await compareEfforts(context, { ...graph, name: clusters.name, chosen: measured?.effort ?? unmeasured }),
  ];
  if (!measured) return cases;
  await recordMeasurement(pool, collection.id, measured);
  if ((await listSparseCollections(pool)).length === 0) return cases;

  context.progress(`${clusters.name}: no effort holds ${target}, building a denser index`);
  const { durationMs } = await buildDenser(pool);
  context.progress(`${clusters.name}: built in ${Math.round(durationMs / 1_000)} s`);
  const again = await sampleRecall(context, pool, collection);
  const name = `${clusters.name}, denser graph`;
  cases.push(await compareEfforts(context, { ...graph, name, chosen: again?.effort ?? unmeasured }));
  return cases;
}

/** As workers measure it, by queries of their own. */
async function sampleRecall(context: BenchmarkContext, pool: Pool, collection: Collection) {
  const options = { target, unmeasured, sample: 200, budgetMs: 30_000 };
  const measured = await measureRecall(pool.lane('control'), collection, options);
  context.progress(
    `${measured?.sampleSize} queries measured: effort ${measured?.effort}, recall ${measured?.recall.toFixed(3)}`,
  );
  return measured;
}

/** As workers build it. */
async function buildDenser(pool: Pool): Promise<{ durationMs: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ durationMs: number }>();
  await using _builder = startIndexBuilder({
    pool,
    minChunks: 1,
    maxDeferredChunks: 1,
    denser: true,
    memoryMb: 1_024,
    parallelWorkers: 2,
    intervalMs: 100,
    // Words get their index as well.
    onBuilt: (built) => 'denser' in built && resolve({ durationMs: built.durationMs }),
    onError: reject,
  });
  return await promise;
}

export const recall: Benchmark = {
  name: 'recall',
  title: 'Recall, and what it costs',
  what: `recall@10 against exact search, and searches a second by ${callers} callers, on 100 000 vectors of 384 dimensions (cosine, HNSW as pgvector builds it): strongly clustered (2 000 centres, around
which vectors spread half as far as the centres do) and weakly clustered (twice as far). Asked are 300 vectors from around the same centres that are not in the table. \`chosen\` is the effort (\`hnsw.ef_search\`) that
the sampler of the workers chooses to hold ${target}, by queries that it makes of stored chunks; \`before it is measured\` is the default of ${unmeasured}, \`as pgvector comes\` is 40, and \`exact\` compares all vectors. \`denser graph\`: workers build the index anew where no effort holds the target.`,

  async run(context) {
    const cases: Case[] = [];
    for (const shape of shapes) cases.push(...(await measureShape(context, shape)));
    const peers = ['before it is measured', 'as pgvector comes', 'exact'];
    return {
      cases,
      comparisons: [{ ours: 'chosen', peers, metrics: [throughput, recallMetric] }],
      metrics: [effortMetric, recallMetric, throughput, p50, p95, errors],
    };
  },
};
