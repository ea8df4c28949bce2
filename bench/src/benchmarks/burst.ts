import { type FaultProxy, startFaultProxy } from '@sluice/testing';
import type { Benchmark } from '../benchmark.ts';
import { createOurs } from '../contenders/ours.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { errors } from '../measure/load.ts';
import { alternate, type Case, type Figures, type Metric } from '../measure/rounds.ts';

const opened: Metric = { key: 'opened', title: 'connections opened', better: 'lower' };
const doneMs: Metric = { key: 'doneMs', title: 'ms until all are done', better: 'lower' };

const queries = 500;
const connectMs = 150;

interface BurstPool extends AsyncDisposable {
  query(text: string): Promise<unknown>;
}

/** From a cold pool to the last answer. */
async function burst(proxy: FaultProxy, create: () => BurstPool, text: string): Promise<Figures> {
  await using pool = create();
  const before = proxy.accepted;
  const start = performance.now();
  const answers = await Promise.allSettled(Array.from({ length: queries }, () => pool.query(text)));
  return {
    opened: proxy.accepted - before,
    doneMs: performance.now() - start,
    errors: answers.filter(({ status }) => status === 'rejected').length,
  };
}

export const burstBenchmark: Benchmark = {
  name: 'burst',
  title: 'A burst on a cold pool, with slow connects',
  what: `${queries} queries at once on a pool that has no connection yet, while a proxy holds up every new connection for
${connectMs} ms: how many connections are opened for it, and how long it takes until all are answered. With \`select 1\`, for
which few connections do, and with queries that keep a connection for 20 ms, for which more would be better. Ours opens 4
connections at first, then as many as are open already, and overflow only while the line stays late; \`pg-pool\` opens one for each
query up to its maximum.`,

  async run(context) {
    const server = await context.server();
    await using proxy = await startFaultProxy({ port: server.port });
    proxy.delay({ connect: connectMs });
    const connectionString = proxy.through(server.url);
    const rounds = context.quick ? 1 : 7;

    const pools: Record<string, () => BurstPool> = {
      pool() {
        const { pool } = createOurs('', { connectionString });
        return pool;
      },
      ...Object.fromEntries([50, 20].map((max) => [`pg-pool ${max}`, () => pgPool(connectionString, max)])),
    };
    const cases: Case[] = [];
    for (const [name, text] of [
      ['select 1', 'select 1'],
      ['20 ms each', 'select pg_sleep(0.02)'],
    ] as const) {
      const contenders = Object.entries(pools).map(([contender, create]) => ({
        name: contender,
        measure: () => burst(proxy, create, text),
      }));
      cases.push(await alternate(name, contenders, { rounds, onRound: context.progress }));
    }
    return {
      cases,
      comparisons: [{ ours: 'pool', peers: ['pg-pool 50', 'pg-pool 20'], metrics: [opened, doneMs] }],
      metrics: [opened, doneMs, errors],
    };
  },
};

function pgPool(connectionString: string, max: number): BurstPool {
  const peer = createPgPool('', { connectionString, max });
  return {
    query: (text) => peer.pool.query(text),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
