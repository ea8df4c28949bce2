import type { Benchmark } from '../benchmark.ts';
import { createConnectionPerQuery } from '../contenders/connection-per-query.ts';
import { createOurs } from '../contenders/ours.ts';
import { callsOf, type QueryName } from '../contenders/queries.ts';
import { searchVectors } from '../database.ts';
import { errors, p50, p99, runClosedLoop, throughput } from '../measure/load.ts';
import { alternate, type Case } from '../measure/rounds.ts';

export const connectionPerQuery: Benchmark = {
  name: 'connection-per-query',
  title: 'Against a connection for each query',
  what: `The same queries by 8 callers: through the pool, and by a \`pg.Client\` that is opened for each query and closed after
it, over TCP on the same machine, without TLS and without a password. Over a network, or with either of them, connecting
costs more. Through the pool the search is prepared; on a connection that is used once, that would only be
one more thing to do.`,

  async run(context) {
    const connectionString = await context.passages();
    const pace = context.quick
      ? { rounds: 1, rampMs: 50, measureMs: 300 }
      : { rounds: 5, rampMs: 200, measureMs: 1_500 };
    await using ours = createOurs('pool', { connectionString });
    await using peer = createConnectionPerQuery('connection per query', connectionString);
    const vectors = searchVectors(200);

    const cases: Case[] = [];
    for (const query of ['select 1', 'search'] satisfies QueryName[]) {
      const contenders = [ours, peer].map((database) => ({
        name: database.name,
        measure: () => runClosedLoop({ callers: 8, ...pace, call: callsOf(database, query, vectors) }),
      }));
      cases.push(await alternate(query, contenders, { ...pace, onRound: context.progress }));
    }
    return {
      cases,
      comparisons: [{ ours: ours.name, peers: [peer.name], metrics: [throughput, p99] }],
      metrics: [throughput, p50, p99, errors],
    };
  },
};
