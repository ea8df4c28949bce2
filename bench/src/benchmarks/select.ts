import type { Benchmark } from '../benchmark.ts';
import { createOurs } from '../contenders/ours.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { callsOf, type QueryName } from '../contenders/queries.ts';
import { searchVectors } from '../database.ts';
import { errors, p50, p95, p99, rampFor, runClosedLoop, throughput } from '../measure/load.ts';
import { alternate, type Case } from '../measure/rounds.ts';

export const select: Benchmark = {
  name: 'select',
  title: 'Short queries by 8, 64 and 512 callers',
  what: `\`select 1\`, and the 10 nearest of 10 000 vectors of 1 536 dimensions (HNSW, cosine). \`select 1\` is unnamed for
everybody; the search is the same named prepared statement with the same binary parameter. Each caller asks again as soon
as it has its answer. Ours with its default lanes and 20 connections + 30 of overflow, and with 50 and no overflow;
\`pg-pool\` with a maximum of 50 and of 20. Callers whom the interactive lane sends away count as errors, and come back when
the error tells them to.`,

  async run(context) {
    const connectionString = await context.passages();
    const pace = context.quick ? { rounds: 1, measureMs: 200 } : { rounds: 5, measureMs: 700 };
    await using ours = createOurs('20 + 30', { connectionString });
    await using oursFixed = createOurs('50 + 0', { connectionString, size: 50, maxOverflow: 0 });
    await using peer = createPgPool('pg-pool 50', { connectionString, max: 50 });
    await using peerSmall = createPgPool('pg-pool 20', { connectionString, max: 20 });
    const vectors = searchVectors(200);

    const cases: Case[] = [];
    for (const query of ['select 1', 'search'] satisfies QueryName[]) {
      for (const callers of [8, 64, 512]) {
        const contenders = [ours, peer, oursFixed, peerSmall].map((database) => ({
          name: database.name,
          measure: () =>
            runClosedLoop({
              callers,
              rampMs: rampFor(callers),
              measureMs: pace.measureMs,
              call: callsOf(database, query, vectors),
            }),
        }));
        const name = `${query}, ${callers} callers`;
        cases.push(await alternate(name, contenders, { ...pace, onRound: context.progress }));
      }
    }
    const peers = [peer.name, peerSmall.name];
    return {
      cases,
      comparisons: [
        { ours: ours.name, peers, metrics: [throughput, p99] },
        { ours: oursFixed.name, peers, metrics: [throughput, p99] },
      ],
      metrics: [throughput, p50, p95, p99, errors],
    };
  },
};
