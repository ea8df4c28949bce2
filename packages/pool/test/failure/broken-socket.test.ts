import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BinaryRow, createPool, isTransient, type Pool, type PoolOptions } from '../../src/index.ts';
import { withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually, until } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

const lanes = { only: { guaranteed: 0, priority: 1 } };
const target = { table: 'copied', columns: [{ name: 'n', type: 'int4' }] };

function row(n: number): BinaryRow {
  const field = Buffer.allocUnsafe(4);
  field.writeInt32BE(n);
  return [field];
}

describeWithServices('postgres', 'a connection that breaks', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeAll(async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await pool.query('create table copied (n int not null)');
  });
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const create = (options: Partial<PoolOptions>) =>
    createPool({ connectionString: proxy.url, size: 3, maxOverflow: 0, lanes, ...options });

  async function fill(pool: Pool): Promise<number[]> {
    const leases = await Promise.all(
      Array.from({ length: pool.status().pool_size }, () => pool.acquire('only')),
    );
    await Promise.all(leases.map((lease) => lease.release()));
    return leases.map(({ connection }) => connection);
  }

  const copied = async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    return (await pool.query('select count(*) as count from copied')).rows[0]?.count;
  };

  test('by a reset while it is idle is replaced before anybody gets it', async () => {
    const applicationName = 'reset-idle';
    await using pool = create({ applicationName });
    const old = await fill(pool);
    proxy.reset();
    await until(() => pool.status().checked_in === 0);
    expect(pool.status()).toMatchObject({ invalid: 3, checked_out: 0 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => pool.query('select $1::int as n', [n])),
    );
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    await using lease = await pool.acquire('only');
    expect(old).not.toContain(lease.connection);
    await lease.release();
    await expectAgreement(pool, database.url, applicationName);
  });

  test('when its backend is killed while idle is replaced before anybody gets it', async () => {
    const applicationName = 'idle-victim';
    // Without a ping it could be lent before the news of its end has come.
    await using pool = create({ applicationName, prePingIdleMs: 0 });
    await fill(pool);
    await withObserver(database.url, async ({ backends, terminate }) => {
      const before = (await backends(applicationName)).map(({ pid }) => pid);
      expect(before).toHaveLength(3);
      await terminate(...before);
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => pool.query<{ pid: number }>('select pg_backend_pid() as pid')),
      );
      for (const { rows } of answers) expect(before).not.toContain(rows[0]?.pid);
    });
    expect(pool.status().invalid).toBeGreaterThanOrEqual(1);
    await expectAgreement(pool, database.url, applicationName);
  });

  test('when its backend is killed under a statement fails that borrower with a transient error and nobody else', async () => {
    const applicationName = 'busy-victim';
    await using pool = create({ applicationName, size: 2 });
    const failed = errorOf(pool.query('select pg_sleep(60)'));
    await withObserver(database.url, async ({ backends, terminate }) => {
      const sleeper = await until(async () =>
        (await backends(applicationName)).find(
          ({ query, state }) => state === 'active' && /sleep/.test(query),
        ),
      );
      await terminate(sleeper.pid);
    });
    expect(isTransient(await failed)).toBe(true);
    await eventually(() => expect(pool.status()).toMatchObject({ checked_out: 0, invalid: 1 }));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await expectAgreement(pool, database.url, applicationName);
  });

  test('when its backend is killed while it is borrowed and does nothing stops counting at once', async () => {
    const applicationName = 'held-victim';
    await using pool = create({ applicationName, size: 1 });
    const lease = await pool.acquire('only');
    const { rows } = await lease.query<{ pid: number }>('select pg_backend_pid() as pid');
    await withObserver(database.url, ({ terminate }) => terminate(rows[0]?.pid as number));
    // Although it is still held, somebody else gets a connection.
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(isTransient(await errorOf(lease.query('select 1')))).toBe(true);
    await lease.release();
    expect(pool.status()).toMatchObject({ checked_in: 1, checked_out: 0, invalid: 1 });
    await expectAgreement(pool, database.url, applicationName);
  });

  test('by a reset while it is borrowed fails its statements with transient errors, also those in line', async () => {
    const applicationName = 'reset-borrowed';
    await using pool = create({ applicationName });
    const lease = await pool.acquire('only');
    const sleeping = errorOf(lease.query('select pg_sleep(0.5)'));
    const queued = errorOf(lease.query('select 1'));
    await sleep(50);
    proxy.reset();
    expect(isTransient(await sleeping)).toBe(true);
    expect(isTransient(await queued)).toBe(true);
    expect(isTransient(await errorOf(lease.query('select 2')))).toBe(true);
    await lease.release();
    expect((await pool.query('select 3 as three')).rows).toEqual([{ three: 3 }]);
    await expectAgreement(pool, database.url, applicationName);
  });

  test('by a reset inside a transaction keeps nothing of it, and the error is transient', async () => {
    const applicationName = 'reset-transaction';
    await using pool = create({ applicationName });
    const error = await errorOf(
      pool.transaction('only', async (transaction) => {
        await transaction.query('insert into copied values (-1)');
        proxy.reset();
        await transaction.query('insert into copied values (-2)');
      }),
    );
    expect(isTransient(error)).toBe(true);
    expect(error.code).not.toBe('commit_in_doubt');
    expect(await copied()).toBe(0);
    await expectAgreement(pool, database.url, applicationName);
  });

  const breaks: Record<string, (backendPid: number) => Promise<unknown>> = {
    'by a reset': async () => proxy.reset(),
    'when its backend is killed': (pid) => withObserver(database.url, ({ terminate }) => terminate(pid)),
  };
  for (const [how, breakIt] of Object.entries(breaks)) {
    test(`${how} in the middle of a COPY keeps nothing of it, and the source is told to stop`, async () => {
      const applicationName = 'broken-copy';
      await using pool = create({ applicationName });
      await using lease = await pool.acquire('only');
      const { rows } = await lease.query<{ pid: number }>('select pg_backend_pid() as pid');
      let stopped = false;
      async function* source() {
        try {
          for (let n = 0; ; n += 1) {
            yield row(n);
            if (n === 50_000) await breakIt(rows[0]?.pid as number);
            if (n % 10_000 === 0) await sleep(1);
          }
        } finally {
          stopped = true;
        }
      }
      expect(isTransient(await errorOf(lease.copyFrom(target, source())))).toBe(true);
      await until(() => stopped);
      await lease.release();
      expect(await copied()).toBe(0);
      expect(await pool.copyFrom('only', target, [row(1), row(2)])).toBe(2);
      expect(await copied()).toBe(2);
      await pool.query('truncate copied');
      await expectAgreement(pool, database.url, applicationName);
    });
  }

  test('under a COPY whose source is stuck is given back nevertheless', async () => {
    const applicationName = 'stuck-copy';
    await using pool = create({ applicationName, size: 1, cancelTimeoutMs: 300 });
    const controller = new AbortController();
    let unstick = () => {};
    const stuck = new Promise<void>((resolve) => {
      unstick = resolve;
    });
    async function* source() {
      yield row(1);
      await stuck;
      yield row(2);
    }
    const copying = errorOf(pool.copyFrom('only', target, source(), { signal: controller.signal }));
    await until(() => pool.status().checked_out === 1);
    await sleep(50);
    controller.abort();
    expect(await copying).toMatchObject({ code: 'query_aborted' });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    unstick();
    await sleep(20);
    expect(await copied()).toBe(0);
    await expectAgreement(pool, database.url, applicationName);
  });
});
