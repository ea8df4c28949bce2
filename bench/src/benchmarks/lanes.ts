import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.ts';
import {
  bulkTable,
  type Copy,
  copyWithOurs,
  copyWithPgPool,
  createBulkTable,
  rowsPerCopy,
} from '../contenders/bulk-writers.ts';
import { createOurs, type Ours } from '../contenders/ours.ts';
import { createPgPool } from '../contenders/pg-pool.ts';
import { callsOf, type Database } from '../contenders/queries.ts';
import { searchVectors } from '../database.ts';
import { errors, p50, p95, p99, runOpenLoop } from '../measure/load.ts';
import { alternate, type Case, type Figures, type Metric } from '../measure/rounds.ts';

const bulkRate: Metric = { key: 'bulkRate', title: 'rows/s written', better: 'higher' };

interface Pace {
  rounds: number;
  perSecond: number;
  rampMs: number;
  idleMs: number;
  busyMs: number;
}

interface BusyDatabase {
  database: Database;
  copy: Copy;
}

async function searchWhileWriting(
  { database, copy }: BusyDatabase,
  writers: number,
  vectors: readonly Buffer[],
  pace: Pace,
): Promise<Figures> {
  const stop = new AbortController();
  let rows = 0;
  async function writer(): Promise<void> {
    while (!stop.signal.aborted) {
      await copy();
      rows += rowsPerCopy;
    }
  }
  const writing = Promise.all(Array.from({ length: writers }, writer));
  const call = callsOf(database, 'search', vectors);
  // Opens what is needed, and has what was idle for long validated.
  await Promise.allSettled(Array.from({ length: 8 }, call));
  if (writers > 0) await sleep(pace.rampMs);
  const before = rows;
  const start = performance.now();
  const figures = await runOpenLoop({
    perSecond: pace.perSecond,
    measureMs: writers > 0 ? pace.busyMs : pace.idleMs,
    call,
  });
  const seconds = (performance.now() - start) / 1_000;
  const written = rows - before;
  stop.abort();
  await writing;
  return { ...figures, bulkRate: written / seconds };
}

export const lanes: Benchmark = {
  name: 'lanes',
  title: 'Searches while the bulk lane is saturated',
  what: `50 searches a second, whether or not the ones before have been answered, and how long each takes from the moment
it was due: while nothing else happens, and beside 40 and 120 writers who each COPY transactions of 500 vectors of 384
dimensions, in binary, without pause. \`lanes\` is ours as it comes (20 connections + 30 of overflow; searches on the
interactive lane, writers on the bulk lane). \`one lane\` is ours with everybody on a single lane without promises.
\`pg-pool 50\` has everybody on one pool and \`pg-copy-streams\`. 40 writers leave 10 of 50 connections free, so nobody has to
wait for one and all that can be seen is the load on the processors; 120 writers want more connections than there are. The
rows that are written meanwhile are the other side of the bargain.`,

  async run(context) {
    const connectionString = await context.passages();
    const pace: Pace = context.quick
      ? { rounds: 1, perSecond: 50, rampMs: 300, idleMs: 400, busyMs: 1_500 }
      : { rounds: 3, perSecond: 50, rampMs: 1_000, idleMs: 2_500, busyMs: 7_000 };
    await using withLanes = createOurs('lanes', { connectionString });
    await using oneLane = createOurs('one lane', {
      connectionString,
      lanes: { all: { guaranteed: 0, priority: 0 } },
    });
    await using peer = createPgPool('pg-pool 50', { connectionString, max: 50 });
    await withLanes.pool.query(`drop table if exists ${bulkTable}`);
    await withLanes.pool.query(createBulkTable);
    const all: BusyDatabase[] = [
      { database: withLanes, copy: copyWithOurs(withLanes, 'bulk') },
      { database: peer, copy: copyWithPgPool(peer) },
      { database: oneLane, copy: copyWithOurs(oneLane, 'all') },
    ];
    const vectors = searchVectors(200);

    const cases: Case[] = [];
    for (const writers of [0, 40, 120]) {
      const contenders = all.map((one) => ({
        name: one.database.name,
        async measure() {
          const figures = await searchWhileWriting(one, writers, vectors, pace);
          await tidyUp(withLanes);
          return figures;
        },
      }));
      const name = writers === 0 ? 'idle' : `${writers} writers`;
      cases.push(await alternate(name, contenders, { ...pace, onRound: context.progress }));
    }
    return {
      cases,
      comparisons: [{ ours: withLanes.name, peers: [oneLane.name, peer.name], metrics: [p50, p95, p99] }],
      metrics: [p50, p95, p99, errors, bulkRate],
    };
  },
};

/** The next one starts with an empty table, and without having the log of the one before written out under it. */
async function tidyUp({ pool }: Ours): Promise<void> {
  await pool.query(`truncate ${bulkTable}`);
  await pool.query('checkpoint');
}
