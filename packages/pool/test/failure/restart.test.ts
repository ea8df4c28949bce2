import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { beforeAll, expect, test } from 'vitest';
import { createPool, isTransient, type Pool, type PoolError } from '../../src/index.ts';
import { expectAgreement } from './support/agreement.ts';
import { eventually } from './support/eventually.ts';
import { useServer } from './support/own-server.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';

expectNoStrayErrors();

interface Load {
  answered: number;
  committed: number;
  inDoubt: number;
  errors: unknown[];
  /** Ends when everybody has their last answer. */
  stop(): Promise<void>;
}

/** Queries and transactions without a pause, by twelve users. */
function startLoad(pool: Pool): Load {
  let stopped = false;
  const users: Promise<void>[] = [];
  const load: Load = {
    answered: 0,
    committed: 0,
    inDoubt: 0,
    errors: [],
    async stop() {
      stopped = true;
      await Promise.all(users);
    },
  };
  async function use(work: () => Promise<unknown>): Promise<void> {
    while (!stopped) {
      try {
        await work();
      } catch (error) {
        load.errors.push(error);
        if ((error as PoolError).code === 'commit_in_doubt') load.inDoubt += 1;
        await sleep(5);
      }
    }
  }
  const ask = async () => {
    const n = Math.floor(Math.random() * 1e6);
    const { rows } = await pool.query('select $1::int as n', [n], { prepare: n % 2 === 0 });
    expect(rows).toEqual([{ n }]);
    load.answered += 1;
  };
  const write = async () => {
    await pool.transaction('bulk', async (transaction) => {
      await transaction.query("insert into done (what) values ('first')");
      await transaction.query("insert into done (what) values ('second')");
    });
    load.committed += 1;
  };
  for (let i = 0; i < 6; i += 1) users.push(use(ask), use(write));
  return load;
}

describeWithServices('processes', 'under load', () => {
  const server = useServer();
  beforeAll(async () => {
    await using pool = createPool({ connectionString: server().url });
    await pool.query('create table done (what text not null)');
  });

  const ends = {
    'a restart': () => server().restart(),
    'a crash': async () => {
      await server().kill();
      await sleep(200);
      await server().start();
    },
  };

  for (const [what, end] of Object.entries(ends)) {
    test(`${what} of the server gives transient errors, hangs nobody, and loses nothing that was confirmed`, async () => {
      const applicationName = what.replace(' ', '-');
      await using pool = createPool({
        connectionString: server().url,
        size: 8,
        maxOverflow: 4,
        applicationName,
      });
      await pool.query('truncate done');
      const load = startLoad(pool);
      await eventually(() => expect(load.committed).toBeGreaterThan(20));
      await end();
      const before = { answered: load.answered, committed: load.committed };
      await eventually(() => {
        expect(load.answered).toBeGreaterThan(before.answered + 50);
        expect(load.committed).toBeGreaterThan(before.committed + 20);
      });
      await load.stop();
      expect(load.errors.length).toBeGreaterThan(0);
      expect(load.errors.filter((error) => !isTransient(error))).toEqual([]);
      const { rows } = await pool.query<{ first: number; second: number }>(
        `select count(*) filter (where what = 'first') as first, count(*) filter (where what = 'second') as second from done`,
      );
      const { first, second } = rows[0] as { first: number; second: number };
      expect(first).toBe(second);
      expect(first).toBeGreaterThanOrEqual(load.committed);
      expect(first).toBeLessThanOrEqual(load.committed + load.inDoubt);
      expect(await pool.testConnection()).toMatchObject({ healthy: true });
      expect(pool.status()).toMatchObject({ checked_out: 0, waiting: 0, last_connect_error: null });
      await expectAgreement(pool, server().url, applicationName);
    });
  }

  test('a server that ends our sessions one by one fails only those who use them', async () => {
    const applicationName = 'shot-at';
    await using pool = createPool({
      connectionString: server().url,
      size: 6,
      maxOverflow: 0,
      applicationName,
    });
    await using admin = createPool({ connectionString: server().url, size: 1, maxOverflow: 0 });
    const load = startLoad(pool);
    let killed = 0;
    while (killed < 40) {
      const { rowCount } = await admin.query(
        `select pg_terminate_backend(pid) from
           (select pid from pg_stat_activity where application_name = $1::text order by random() limit 2) as victims`,
        [applicationName],
      );
      killed += rowCount;
      await sleep(5);
    }
    await load.stop();
    expect(load.errors.filter((error) => !isTransient(error))).toEqual([]);
    // One more kind is fair: who waits while nothing is open learns that an attempt to connect was shot at, too.
    const codes = load.errors
      .map((error) => (error as PoolError).code)
      .filter((code) => code !== 'connect_failed');
    expect(codes.length, codes.join()).toBeLessThanOrEqual(killed);
    expect(load.answered).toBeGreaterThan(0);
    await expectAgreement(pool, server().url, applicationName);
  });
});
