import { startRedis } from '@sluice/testing';
import type { Benchmark } from '../benchmark.ts';
import { createVectors } from '../contenders/clustered-vectors.ts';
import { startExpress, startGateway } from '../contenders/deployment.ts';
import { createHttpCallers } from '../contenders/http-callers.ts';
import { queryBody } from '../contenders/query-body.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import { errors, p50, p95, p99, rampFor, runClosedLoop, runOpenLoop, throughput } from '../measure/load.ts';
import { alternate, type Case } from '../measure/rounds.ts';

const clusters = { dimensions: 384, centres: 2_000, noise: 1 };
const knownQueries = 100;

async function ask(url: string, body: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/query`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** Each body `times` times before the next. */
function repeated(times: number, nextBody: () => string): () => string {
  let body = '';
  let left = 0;
  return () => {
    if (left === 0) body = nextBody();
    left = (left || times) - 1;
    return body;
  };
}

export const httpSearch: Benchmark = {
  name: 'http-search',
  title: 'Queries over HTTP, by 50, 200 and 1 000 connections',
  what: `\`POST /v1/query\` with a vector (base64, 384 dimensions) for 10 chunks of 100 000 (effort as it comes), to one gateway process, beside an Express that parses the same body
and writes the same answer of about 7 kB as a constant, without anything else. \`undici\` sends from this process, on the same two processors: first each connection asks again as soon as it has its
answer, then queries come at fixed rates, and times count from when they were due. \`uncached\`: each query is another one. \`cached in process\` and \`cached in Redis\`: one of ${knownQueries}, the second by a gateway that keeps nothing in process.
\`identical\`: all connections ask the same that nobody has asked before, and then all the next. Every cached answer was confirmed by Postgres. Answers other than 200 are errors. A gateway with more
callers than it can serve within the patience of the interactive lane sends some of them away with 503 and Retry-After, and they come back when they were told to.`,

  async run(context) {
    const { url: server } = await context.server();
    const rows = context.quick ? 2_000 : 100_000;
    context.progress('loading vectors and building their index');
    const contents = { database: 'http_search', rows, dimensions: clusters.dimensions };
    const { url } = await createSearchedDatabase(server, {
      ...contents,
      nextVector: createVectors(clusters, 1),
    });
    await using redis = await startRedis();
    const services = { DATABASE_URL: url, REDIS_URL: redis.url };
    await using gateway = await startGateway(services);
    await using withoutMemory = await startGateway({ ...services, CACHE_MEMORY_ENTRIES: '1' });
    const nextVector = createVectors(clusters, 2);
    const nextBody = () => queryBody(nextVector());
    const known = Array.from({ length: knownQueries }, nextBody);
    await using bare = await startExpress(await ask(gateway.url, known[0] as string));
    let at = 0;
    const knownBody = () => known[at++ % known.length] as string;

    const measureMs = context.quick ? 900 : 2_500;
    const rounds = { rounds: context.quick ? 1 : 2, onRound: context.progress };
    const askAll = async (to: string) => {
      for (const body of known) await ask(to, body);
    };
    async function load(to: string, connections: number, body: () => string, perSecond?: number) {
      await using callers = createHttpCallers(to, connections);
      const call = () => callers.ask(body());
      if (!perSecond)
        return await runClosedLoop({ callers: connections, rampMs: rampFor(connections), measureMs, call });
      // Nobody is measured who has to connect first.
      await Promise.allSettled(Array.from({ length: connections }, call));
      return { throughput: perSecond, ...(await runOpenLoop({ perSecond, measureMs, call })) };
    }
    const contendersFor = (connections: number, rates?: { uncached: number; cached: number }) => [
      { name: 'bare Express', measure: () => load(bare.url, connections, knownBody, rates?.cached) },
      { name: 'uncached', measure: () => load(gateway.url, connections, nextBody, rates?.uncached) },
      {
        name: 'cached in process',
        async measure() {
          await askAll(gateway.url);
          return load(gateway.url, connections, knownBody, rates?.cached);
        },
      },
      {
        name: 'cached in Redis',
        async measure() {
          await askAll(withoutMemory.url);
          return load(withoutMemory.url, connections, knownBody, rates?.cached);
        },
      },
      {
        name: 'identical',
        measure: () => load(gateway.url, connections, repeated(connections, nextBody), rates?.cached),
      },
    ];
    const cases: Case[] = [];
    for (const connections of [50, 200, 1_000])
      cases.push(await alternate(`${connections} connections`, contendersFor(connections), rounds));
    const fixed = [
      { connections: 50, uncached: 100, cached: 1_000 },
      { connections: 1_000, uncached: 500, cached: 2_000 },
      { connections: 1_000, uncached: 1_000, cached: 4_000 },
    ];
    for (const { connections, ...rates } of fixed) {
      const name = `${connections} connections, ${rates.uncached}/s uncached, ${rates.cached}/s others`;
      cases.push(await alternate(name, contendersFor(connections, rates), rounds));
    }
    const peers = ['bare Express'];
    return {
      cases,
      comparisons: ['uncached', 'cached in process', 'cached in Redis', 'identical'].map((ours) => ({
        ours,
        peers,
        metrics: [throughput, p95],
      })),
      metrics: [throughput, p50, p95, p99, errors],
    };
  },
};
