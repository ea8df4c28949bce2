import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { beforeAll, expect, test } from 'vitest';
import { createPool, type Lease, type Pool } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';

expectNoStrayErrors();

describeWithServices('postgres', 'giving back', () => {
  const database = useDatabase();
  beforeAll(async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await pool.query('create table notes (n int not null check (n < 100))');
  });

  const create = (applicationName: string) =>
    createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      applicationName,
      cancelTimeoutMs: 1_000,
      lanes: { only: { guaranteed: 0, priority: 1 } },
    });
  const expectClean = async (pool: Pool, connection: number, applicationName: string) => {
    await using lease = await pool.acquire('only');
    expect(lease.connection).toBe(connection);
    expect((await lease.query('select count(*) as count from notes')).rows).toEqual([{ count: 0 }]);
    const { rows } = await lease.query('select now() = statement_timestamp() as alone');
    expect(rows).toEqual([{ alone: true }]);
    await lease.release();
    await expectAgreement(pool, database.url, applicationName);
  };

  test('while a statement runs cancels it, refuses those in line, and the connection is used again', async () => {
    await using pool = create('busy');
    const lease = await pool.acquire('only');
    const running = errorOf(lease.query('select pg_sleep(60)'));
    const inLine = errorOf(lease.query('insert into notes values (1)'));
    await sleep(50);
    await lease.release();
    expect(await running).toMatchObject({ code: '57014' });
    expect(await inLine).toMatchObject({ code: 'lease_released' });
    await expectClean(pool, lease.connection, 'busy');
    expect(pool.status().invalid).toBe(0);
  });

  test('while a COPY runs ends it, keeps nothing, and the next borrower is served', async () => {
    await using pool = create('busy-copy');
    const lease = await pool.acquire('only');
    async function* endless() {
      for (let n = 0; ; n += 1) {
        yield [Buffer.from([0, 0, 0, 1])];
        if (n % 1_000 === 0) await sleep(1);
      }
    }
    const target = { table: 'notes', columns: [{ name: 'n', type: 'int4' }] };
    const copying = errorOf(lease.copyFrom(target, endless()));
    await sleep(50);
    await lease.release();
    expect((await pool.query('select count(*) as count from notes')).rows).toEqual([{ count: 0 }]);
    expect(await copying).toBeInstanceOf(Error);
    await expectAgreement(pool, database.url, 'busy-copy');
  });

  const open: Record<string, (lease: Lease) => Promise<unknown>> = {
    'inside an open transaction': (lease) => lease.query('begin; insert into notes values (1)'),
    'inside a failed transaction': async (lease) => {
      await lease.query('begin');
      await lease.query('insert into notes values (1)');
      await errorOf(lease.query('insert into notes values (1000)'));
    },
    'inside a transaction whose first message failed as a whole': (lease) =>
      errorOf(lease.query('begin; insert into notes values (1); insert into notes values (1000)')),
    'inside a transaction with a statement under way': async (lease) => {
      await lease.query('begin');
      await lease.query('insert into notes values (1)');
      void errorOf(lease.query('select pg_sleep(60)'));
      await sleep(30);
    },
  };
  for (const [where, enter] of Object.entries(open)) {
    test(`${where} rolls it back before anybody else gets the connection`, async () => {
      await using pool = create('transaction');
      const lease = await pool.acquire('only');
      await enter(lease);
      const { connection } = lease;
      await lease.release();
      await expectClean(pool, connection, 'transaction');
      expect(pool.status().invalid).toBe(0);
    });
  }

  test('to be destroyed closes it, whatever it does, and the next borrower gets another', async () => {
    await using pool = create('destroyed');
    const lease = await pool.acquire('only');
    const running = errorOf(lease.query('select pg_sleep(60)'));
    await sleep(50);
    lease.destroy('tried out');
    expect(await running).toBeInstanceOf(Error);
    expect(await errorOf(lease.query('select 1'))).toMatchObject({ code: 'lease_released' });
    await using next = await pool.acquire('only');
    expect(next.connection).not.toBe(lease.connection);
    await next.release();
    // The server has stopped working on what nobody waits for.
    await expectAgreement(pool, database.url, 'destroyed');
  });

  test('twice, or after it was destroyed, or the other way round, counts once', async () => {
    await using pool = create('twice');
    const first = await pool.acquire('only');
    await Promise.all([first.release(), first.release(), first[Symbol.asyncDispose]()]);
    const second = await pool.acquire('only');
    await first.release();
    first.destroy('too late');
    expect(pool.status()).toMatchObject({ checked_out: 1, checked_in: 0 });
    expect((await second.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    second.destroy('once');
    second.destroy('and again');
    await second.release();
    await eventually(() => expect(pool.status()).toMatchObject({ checked_out: 0, invalid: 1, closed: 1 }));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await expectAgreement(pool, database.url, 'twice');
  });
});
