import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, BenchmarkContext } from '../benchmark.ts';
import { type Deployment, startDeployment } from '../contenders/deployment.ts';
import { documentText } from '../contenders/documents.ts';
import { createHttpCollection, sendDocument } from '../contenders/http-documents.ts';
import { ingestInLoop } from '../contenders/ingest-in-loop.ts';
import { alternate, type Case, type Contender, type Figures, type Metric } from '../measure/rounds.ts';

const documentRate: Metric = { key: 'documents', title: 'documents/s', better: 'higher' };
const chunkRate: Metric = { key: 'chunks', title: 'chunks/s', better: 'higher' };
const stage = (key: string, title: string): Metric => ({
  key,
  title: `${title} ms a document`,
  better: 'lower',
});
const stages = [
  stage('extracting', 'extracting'),
  stage('embedding', 'embedding'),
  stage('publishing', 'publishing'),
];
const memory: Metric[] = [
  { key: 'gatewayMemory', title: 'gateway MiB', better: 'lower' },
  { key: 'workerMemory', title: 'worker MiB', better: 'lower' },
];

interface Load {
  documents: number;
  paragraphs: number;
  dimensions: number;
}

const senders = 16;

/** From the first byte sent until the last document is searchable. */
async function sendAll(deployment: Deployment, load: Load, round: number): Promise<Figures> {
  const { url, pool } = deployment;
  const collection = `round-${round}-${Math.floor(Math.random() * 1e9)}`;
  await createHttpCollection(url, collection, load.dimensions);
  const texts = Array.from({ length: load.documents }, (_, i) =>
    documentText(round * 10_000 + i, load.paragraphs),
  );
  const start = performance.now();
  let next = 0;
  async function sender(): Promise<void> {
    for (let i = next++; i < texts.length; i = next++)
      await sendDocument(url, collection, texts[i] as string, `${i}`);
  }
  await Promise.all(Array.from({ length: senders }, sender));
  for (;;) {
    const { rows } = await pool.query<Record<string, number>>(
      `select count(*) as ready, coalesce(sum(chunks_total), 0)::int as chunks,
         avg((stage_ms ->> 'extracting')::int)::float8 as extracting,
         avg((stage_ms ->> 'embedding')::int)::float8 as embedding,
         avg((stage_ms ->> 'publishing')::int)::float8 as publishing
       from sluice.uploads u join sluice.collections c on c.id = u.collection_id
       where c.name = $1::text and state = 'ready'`,
      [collection],
    );
    const { ready = 0, chunks = 0, ...byStage } = rows[0] ?? {};
    if (ready < load.documents) {
      await sleep(20);
      continue;
    }
    const seconds = (performance.now() - start) / 1_000;
    const peaks = deployment.peakMemory();
    return {
      ...byStage,
      documents: ready / seconds,
      chunks: chunks / seconds,
      gatewayMemory: peaks.gateway,
      workerMemory: peaks.worker,
    };
  }
}

async function measureLoad(context: BenchmarkContext, name: string, load: Load): Promise<Case> {
  const server = await context.server();
  await using stack = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const workers of [1, 2, 4]) {
    const database = `ingest_${load.dimensions}_${load.paragraphs}_${workers}`;
    let round = 0;
    contenders.push({
      name: `${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      async measure() {
        // Only those that are measured may use the processors.
        await using deployment = await startDeployment({ server, name: database, workers });
        await sendAll(deployment, { ...load, documents: Math.ceil(load.documents / 8) }, 0);
        round += 1;
        return await sendAll(deployment, load, round);
      },
    });
  }
  const loop = stack.use(await ingestInLoop(server, load));
  contenders.push({ name: 'loop', measure: loop.measure });
  return await alternate(name, contenders, { rounds: context.quick ? 1 : 3, onRound: context.progress });
}

export const ingest: Benchmark = {
  name: 'ingest',
  title: 'From upload to searchable',
  what: `Documents are sent over HTTP, one request each, by ${senders} senders, to one gateway with 1, 2 and 4 workers (\`WORKER_CONCURRENCY\` as it comes), each a
process, with Redis and Postgres on the same two processors; the time is from the first byte sent until the last document is
searchable. Embedding is the local provider's. Small documents have 4 chunks of about 128 tokens, large ones 1 200. \`loop\` calls the domain's functions
in this process, accept and ingest, four documents at a time, without HTTP and without a queue: what those cost is the ratio of one worker to it. Time by
stage is a document's own, while others are under way; memory is the most that was resident. New collections have no vector
index yet, so it is not part of the time (see the section on writing vectors).`,

  async run(context) {
    const small = (dimensions: number): Load => ({
      documents: context.quick ? 40 : 1_000,
      paragraphs: 4,
      dimensions,
    });
    const large = (dimensions: number): Load => ({
      documents: context.quick ? 2 : 8,
      paragraphs: 1_200,
      dimensions,
    });
    const cases = [
      await measureLoad(context, 'small, 384 dimensions', small(384)),
      await measureLoad(context, 'small, 1 024 dimensions', small(1_024)),
      await measureLoad(context, 'large, 1 024 dimensions', large(1_024)),
    ];
    return {
      cases,
      comparisons: [
        { ours: '1 worker', peers: ['loop'], metrics: [documentRate, chunkRate] },
        { ours: '2 workers', peers: ['1 worker'], metrics: [documentRate, chunkRate] },
        { ours: '4 workers', peers: ['1 worker'], metrics: [documentRate, chunkRate] },
      ],
      metrics: [documentRate, chunkRate, ...stages, ...memory],
    };
  },
};
