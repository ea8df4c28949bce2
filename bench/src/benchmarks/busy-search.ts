import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, type Pool } from '@sluice/pool';
import { startRedis } from '@sluice/testing';
import type { Benchmark } from '../benchmark.ts';
import { createVectors } from '../contenders/clustered-vectors.ts';
import { startGateway, startWorker } from '../contenders/deployment.ts';
import { documentText } from '../contenders/documents.ts';
import { createHttpCallers } from '../contenders/http-callers.ts';
import { createHttpCollection, sendDocument } from '../contenders/http-documents.ts';
import { queryBody } from '../contenders/query-body.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import { errors, p50, p95, p99, runOpenLoop } from '../measure/load.ts';
import { alternate, type Figures, type Metric } from '../measure/rounds.ts';

const clusters = { dimensions: 384, centres: 200, noise: 1 };
const perSecond = 50;
const senders = 4;
const paragraphs = 20;
const chunkRate: Metric = { key: 'chunks', title: 'chunks/s written', better: 'higher' };

async function unfinished(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from sluice.uploads where state in ('queued', 'processing')`,
  );
  return rows[0]?.count ?? 0;
}

async function chunksDone(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ chunks: number }>(
    'select coalesce(sum(chunks_done), 0)::int as chunks from sluice.uploads',
  );
  return rows[0]?.chunks ?? 0;
}

export const busySearch: Benchmark = {
  name: 'busy-search',
  title: 'Searches while documents are ingested at full speed',
  what: `${perSecond} different queries a second over HTTP (a vector, 10 of 10 000 chunks of 384 dimensions), and how long each takes from the moment it was due: while nothing else happens,
and while a worker ingests documents of ${paragraphs} chunks into another collection, which has its HNSW index from the beginning, as fast as it can: ${senders} senders keep 24 of them waiting. Gateway, worker, Postgres, Redis and the
senders share two processors, of which a worker alone can use both: most of what a search loses is time on them. What the lanes of the pool do about connections, against one undivided pool, is in the section on the
saturated bulk lane.`,

  async run(context) {
    const { url: server } = await context.server();
    context.progress('loading vectors and building their index');
    const contents = {
      database: 'busy',
      rows: context.quick ? 1_000 : 10_000,
      dimensions: clusters.dimensions,
    };
    const nextVector = createVectors(clusters, 1);
    const { url: databaseUrl } = await createSearchedDatabase(server, { ...contents, nextVector });
    await using redis = await startRedis();
    await using pool = createPool({ connectionString: databaseUrl, size: 2, maxOverflow: 0 });
    // Documents are written into the index, which is the work that searches feel: not loaded first and indexed later.
    const services = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, VECTOR_INDEX_MIN_CHUNKS: '0' };
    await using gateway = await startGateway(services);
    await using _worker = await startWorker(services);
    await createHttpCollection(gateway.url, 'ingested', clusters.dimensions);
    await using callers = createHttpCallers(gateway.url, 32);
    const nextAsked = createVectors(clusters, 2);
    const measureMs = context.quick ? 1_000 : 8_000;
    const search = () =>
      runOpenLoop({ perSecond, measureMs, call: () => callers.ask(queryBody(nextAsked())) });

    let documents = 0;
    async function ingestMeanwhile(stop: AbortSignal): Promise<void> {
      while (!stop.aborted) {
        if ((await unfinished(pool)) > 24) await sleep(20);
        else
          await sendDocument(gateway.url, 'ingested', documentText(documents++, paragraphs), `${documents}`);
      }
    }
    async function whileIngesting(): Promise<Figures> {
      const stop = new AbortController();
      const sending = Promise.all(Array.from({ length: senders }, () => ingestMeanwhile(stop.signal)));
      await sleep(context.quick ? 500 : 2_000);
      const before = await chunksDone(pool);
      const start = performance.now();
      const figures = await search();
      const chunks = ((await chunksDone(pool)) - before) / ((performance.now() - start) / 1_000);
      stop.abort();
      await sending;
      while ((await unfinished(pool)) > 0) await sleep(50);
      await pool.query('checkpoint');
      return { ...figures, chunks };
    }
    const contenders = [
      { name: 'while ingesting', measure: whileIngesting },
      { name: 'idle', measure: async () => ({ ...(await search()), chunks: 0 }) },
    ];
    const rounds = { rounds: context.quick ? 1 : 3, onRound: context.progress };
    return {
      cases: [await alternate(`${perSecond} searches a second`, contenders, rounds)],
      comparisons: [{ ours: 'while ingesting', peers: ['idle'], metrics: [p50, p95, p99] }],
      metrics: [p50, p95, p99, errors, chunkRate],
    };
  },
};
