import type { Benchmark } from '../benchmark.ts';
import { createOurs } from '../contenders/ours.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import {
  createGenericPool,
  createMechanism,
  createTarn,
  type Lender,
} from '../contenders/trivial-resources.ts';
import { cycleTime, timeCycles } from '../measure/cycles.ts';
import { alternate, type Case } from '../measure/rounds.ts';

export const acquire: Benchmark = {
  name: 'acquire',
  title: 'Acquire and release',
  what: `Borrowing and giving back while something is free, by 1 loop and by 8 loops at once: what a pool itself costs.
Nothing is sent to the server. \`pool\` is \`pool.acquire('interactive')\` and \`lease.release()\` of ours, against
\`connect()\` and \`client.release()\` of \`pg-pool\`, once as it comes, where it starts a timer for every connection that is
given back, and once with \`idleTimeoutMillis: 0\`. \`mechanism\` is our resource pool with the default lanes and resources
that cost nothing, against \`generic-pool\` and \`tarn\` with the same.`,

  async run(context) {
    const { url: connectionString } = await context.server();
    const pace = context.quick ? { rounds: 2, measureMs: 100 } : { rounds: 8, measureMs: 300 };
    await using ours = createOurs('pool', { connectionString });
    await using usual = createPgPool('pg-pool', { connectionString, max: 20, idleTimeoutMillis: 10_000 });
    await using untimed = createPgPool('pg-pool, no idle timers', { connectionString, max: 20 });
    await using mechanism = createMechanism('mechanism');
    await using generic = createGenericPool('generic-pool');
    await using tarn = createTarn('tarn');

    const ourLender: Lender = {
      name: ours.name,
      async borrow() {
        const lease = await ours.pool.acquire('interactive');
        return () => lease.release();
      },
      async cycle() {
        const lease = await ours.pool.acquire('interactive');
        await lease.release();
      },
    };
    const lenderOf = ({ name, pool }: typeof usual): Lender => ({
      name,
      async borrow() {
        const client = await pool.connect();
        return () => client.release();
      },
      async cycle() {
        const client = await pool.connect();
        client.release();
      },
    });
    const lenders: Lender[] = [ourLender, lenderOf(usual), lenderOf(untimed), mechanism, generic, tarn];

    const cases: Case[] = [];
    for (const concurrency of [1, 8]) {
      const contenders = lenders.map(({ name, borrow, cycle }) => ({
        name,
        async measure() {
          // As many as there are loops, at once: so that all are open, and none has been idle for so long that it is
          // validated. The loops themselves leave no room for anything to be opened.
          const giveBack = await Promise.all(Array.from({ length: concurrency }, borrow));
          await Promise.all(giveBack.map((back) => back()));
          await timeCycles(concurrency, 20, cycle);
          return await timeCycles(concurrency, pace.measureMs, cycle);
        },
      }));
      const name = concurrency === 1 ? '1 loop' : `${concurrency} loops`;
      cases.push(await alternate(name, contenders, { ...pace, onRound: context.progress }));
    }
    return {
      cases,
      comparisons: [
        { ours: ours.name, peers: [usual.name, untimed.name], metrics: [cycleTime] },
        { ours: mechanism.name, peers: [generic.name, tarn.name], metrics: [cycleTime] },
      ],
      metrics: [cycleTime],
    };
  },
};
