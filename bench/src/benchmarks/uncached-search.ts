import { startRedis } from '@sluice/testing';
import { Redis } from 'ioredis';
import type { Benchmark } from '../benchmark.ts';
import { createSearchedDatabase } from '../contenders/searched-collection.ts';
import { createSearcher, randomCollection, randomVector, type Searcher } from '../contenders/searchers.ts';
import { errors, p50, p95, runClosedLoop, throughput } from '../measure/load.ts';
import { alternate, type Case } from '../measure/rounds.ts';

export const uncachedSearch: Benchmark = {
  name: 'uncached-search',
  title: 'What the shared cache costs a search that it does not know',
  what: `The 10 nearest of 5 000 vectors of 384 dimensions, another one each time, asked by \`createSearch\` in this process, wired as in a
gateway, without HTTP. \`with Redis\` looks into Redis and claims the answer there before it searches, and stores it there after;
\`without Redis\` does neither; \`PING first\` does neither, but sends that Redis a PING before each search: what one round trip costs.`,

  async run(context) {
    const { url } = await context.server();
    const pace = context.quick
      ? { rounds: 1, rampMs: 50, measureMs: 200 }
      : { rounds: 7, rampMs: 200, measureMs: 1_000 };
    context.progress('loading vectors');
    const { url: database } = await createSearchedDatabase(url, randomCollection);
    await using redis = await startRedis();
    const client = new Redis(redis.url);
    await using shared = await createSearcher('with Redis', database, {
      redisUrl: redis.url,
      confirms: true,
    });
    await using alone = await createSearcher('without Redis', database, { confirms: true });
    const pinging: Searcher = {
      ...alone,
      name: 'PING first',
      async search(vector) {
        await client.ping();
        return alone.search(vector);
      },
    };

    const cases: Case[] = [];
    for (const callers of [1, 32]) {
      const contenders = [shared, alone, pinging].map(({ name, search }) => ({
        name,
        measure: () => runClosedLoop({ callers, ...pace, call: () => search(randomVector()) }),
      }));
      const name = `${callers} caller${callers === 1 ? '' : 's'}`;
      cases.push(await alternate(name, contenders, { ...pace, onRound: context.progress }));
    }
    client.disconnect();
    return {
      cases,
      comparisons: [{ ours: shared.name, peers: [alone.name, pinging.name], metrics: [throughput, p50] }],
      metrics: [throughput, p50, p95, errors],
    };
  },
};
