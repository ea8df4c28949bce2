import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describeWithServices } from '@sluice/testing';
import { beforeAll, expect, test } from 'vitest';
import { createPool, isTransient, type PoolError, type PoolEvent } from '../../src/index.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually } from './support/eventually.ts';
import { useServer } from './support/own-server.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';

expectNoStrayErrors();

const password = 'correct-horse-battery';
const wrongPassword = 'Zx9-wrong-secret';

describeWithServices('processes', 'a server that answers and refuses', () => {
  const server = useServer({ settings: { max_connections: 14, superuser_reserved_connections: 3 } });

  const urlOf = (change: { user?: string; password?: string; database?: string }) => {
    const url = new URL(server().url);
    if (change.user) url.username = change.user;
    if (change.password) url.password = change.password;
    if (change.database) url.pathname = `/${change.database}`;
    return url.href;
  };

  beforeAll(async () => {
    await using admin = createPool({ connectionString: server().url, size: 1, maxOverflow: 0 });
    await admin.query(`create role guest login password '${password}'`);
    await admin.query(`create role narrow login password '${password}' connection limit 1`);
    await admin.query('create database closed_shop');
    await admin.query('revoke connect on database closed_shop from public');
    // The servers of the tests trust everybody: for these two they ask.
    const { rows } = await admin.query<{ hba_file: string }>(
      "select current_setting('hba_file') as hba_file",
    );
    await admin.query(
      `copy (values ('host all guest,narrow all scram-sha-256'), ('host all all all trust')) to '${rows[0]?.hba_file}'`,
    );
    await admin.query('select pg_reload_conf()');
    await using guest = createPool({ connectionString: urlOf({ user: 'guest', password: wrongPassword }) });
    await eventually(async () => expect(await errorOf(guest.query('select 1'))).toBeInstanceOf(Error));
  });

  const refusals = [
    [
      'a wrong password',
      { user: 'guest', password: wrongPassword },
      '28P01',
      /password authentication failed for user "guest"/,
    ],
    ['an unknown role', { user: 'nobody_at_all' }, '28000', /role "nobody_at_all" does not exist/],
    [
      'a missing database',
      { database: 'no_such_database' },
      '3D000',
      /database "no_such_database" does not exist/,
    ],
    [
      'a database one may not connect to',
      { user: 'guest', password, database: 'closed_shop' },
      '42501',
      /permission denied for database/,
    ],
  ] as const;

  for (const [what, change, state, message] of refusals) {
    test(`because of ${what} is not worth another attempt, and says so`, async () => {
      await using pool = createPool({ connectionString: urlOf(change), size: 3 });
      const errors = await Promise.all(
        Array.from({ length: 5 }, () => errorOf<PoolError>(pool.query('select 1'))),
      );
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'connect_failed', retryable: false, retryAfterMs: undefined });
        expect(error.message).toMatch(message);
        expect(error.cause).toMatchObject({ code: state });
        expect(isTransient(error)).toBe(false);
      }
      expect(pool.status()).toMatchObject({ checked_out: 0, waiting: 0, opening: 0 });
    });
  }

  test('shows no password, neither in messages and events nor when an error is printed whole', async () => {
    const told: unknown[] = [];
    await using pool = createPool({
      connectionString: urlOf({ user: 'guest', password: wrongPassword }),
      onEvent: (event) => told.push(event),
      tracer: {
        connect: (start) => {
          told.push(start);
          return (end) => told.push(end);
        },
      },
    });
    const error = await errorOf(pool.query('select 1'));
    told.push(error, pool.status(), await pool.testConnection());
    const printed = inspect(told, { depth: 12, showHidden: true });
    expect(printed).toContain('guest');
    expect(printed).not.toContain(wrongPassword);
    expect(JSON.stringify(told)).not.toContain(wrongPassword);
  });

  test('shows no password either when the connection string cannot be parsed', async () => {
    for (const secret of ['se%cr%et', 'se#cr#et', 'se/cr/et']) {
      let error: unknown;
      try {
        await using pool = createPool({ connectionString: `postgres://guest:${secret}@127.0.0.1:1/none` });
        error = await errorOf(pool.query('select 1'));
      } catch (thrown) {
        error = thrown;
      }
      const printed = inspect(error, { depth: 12, showHidden: true });
      for (const part of [secret, 'cr%et', 'cr#et', 'cr/et']) expect(printed).not.toContain(part);
    }
  });

  test('the right password works on the same server', async () => {
    await using pool = createPool({ connectionString: urlOf({ user: 'guest', password }) });
    expect((await pool.query('select current_user::text as name')).rows).toEqual([{ name: 'guest' }]);
  });

  test('further connections of a role serves waiters by those it has, and does not make them spin', async () => {
    const failures: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: urlOf({ user: 'narrow', password }),
      size: 4,
      maxOverflow: 0,
      onEvent: (event) => event.type === 'connect_failed' && failures.push(event),
    });
    const held = await pool.lane('interactive').acquire();
    const waiting = pool.lane('interactive').query('select 1 as one');
    await sleep(600);
    expect(failures.length).toBeGreaterThan(1);
    expect(failures.length).toBeLessThan(10);
    await held.release();
    expect((await waiting).rows).toEqual([{ one: 1 }]);
  });

  test('because others have all its connections is worth another attempt, and takes nothing from the pool', async () => {
    const applicationName = 'crowded-out';
    const guest = urlOf({ user: 'guest', password });
    await using pool = createPool({ connectionString: guest, size: 6, maxOverflow: 0, applicationName });
    {
      await using others = createPool({
        connectionString: guest,
        size: 11,
        maxOverflow: 0,
        lanes: { only: { guaranteed: 0, priority: 1 } },
      });
      const taken = await Promise.all(Array.from({ length: 11 }, () => others.acquire('only')));
      const errors = await Promise.all(
        Array.from({ length: 10 }, () => errorOf<PoolError>(pool.query('select 1'))),
      );
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'connect_failed', retryable: true });
        expect(error.message).toMatch(/too many clients|remaining connection slots/);
        expect(error.cause).toMatchObject({ code: '53300' });
        expect(error.retryAfterMs).toBeGreaterThan(0);
      }
      taken.pop()?.destroy('makes room for one');
      await eventually(() => pool.query('select 1'));
      const served = await Promise.all(
        Array.from({ length: 30 }, (_, n) => pool.query('select $1::int as n', [n])),
      );
      expect(served.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
      expect(pool.status()).toMatchObject({ checked_in: 1, checked_out: 0 });
      await Promise.all(taken.map((lease) => lease.release()));
    }
    const all = await eventually(() =>
      Promise.all(Array.from({ length: 4 }, () => pool.acquire('interactive'))),
    );
    expect(new Set(all.map(({ connection }) => connection)).size).toBe(4);
    await Promise.all(all.map((lease) => lease.release()));
    await expectAgreement(pool, server().url, applicationName);
  });
});
