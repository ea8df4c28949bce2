import { createTestDatabase, describeWithServices, startPgBouncer, startPostgres } from '@sluice/testing';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import {
  createPostgresStore,
  type ExchangeRequest,
  type PostgresStoreOptions,
} from '../../src/budget/index.ts';
import { storeContract } from './support/store-contract.ts';

const request = (turn: number, changes: Partial<ExchangeRequest> = {}): ExchangeRequest => ({
  ...{ id: 'a', weight: 1, floor: 2, cap: 100, held: 0, request: 5, ttlMs: 600, limit: 20, turn },
  ...changes,
});

interface Connected {
  readonly client: pg.Client;
  readonly run: PostgresStoreOptions['run'];
}

/** One connection, lent to one borrower after the other. */
async function connect(url: string): Promise<Connected> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  let last: Promise<unknown> = Promise.resolve();
  return {
    client,
    run(use) {
      const result = last.then(() => use((text, values) => client.query(text, values)));
      last = result.catch(() => undefined);
      return result;
    },
  };
}

describeWithServices('postgres', 'with a Postgres server', () => {
  storeContract('the store in Postgres', async () => {
    const database = await createTestDatabase({ migrated: false });
    const [one, two] = [await connect(database.url), await connect(database.url)];
    const schema = 'a "fleet"';
    return {
      stores: [createPostgresStore({ run: one.run, schema }), createPostgresStore({ run: two.run, schema })],
      async lose() {
        // What recovery after a crash does to unlogged tables.
        await one.run((query) => query('truncate "a ""fleet""".fleet_members, "a ""fleet""".fleet_clock'));
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([one.client.end(), two.client.end()]);
        await database[Symbol.asyncDispose]();
      },
    };
  });

  test('the very first member of all is admitted without waiting', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const { client, run } = await connect(database.url);
    const answer = await createPostgresStore({ run }).exchange(request(1, { request: 20 }));
    expect(answer).toMatchObject({ granted: 20, settling: false });
    const tables = await client.query("select relpersistence from pg_class where relname ~ '^fleet_[a-z]+$'");
    expect(tables.rows).toEqual([{ relpersistence: 'u' }, { relpersistence: 'u' }]);
    await client.end();
  });

  test('tables that are created by several at once are created once', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const connected = await Promise.all(Array.from({ length: 6 }, () => connect(database.url)));
    const answers = await Promise.all(
      connected.map(({ run }, n) =>
        createPostgresStore({ run, schema: 'fleet' }).exchange(request(1, { id: `m${n}`, request: 2 })),
      ),
    );
    expect(answers.map(({ granted }) => granted)).toEqual([2, 2, 2, 2, 2, 2]);
    await Promise.all(connected.map(({ client }) => client.end()));
  });

  test('tables that are dropped under a running fleet are made again, and do not count as a first start', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const { client, run } = await connect(database.url);
    const store = createPostgresStore({ run });
    await store.exchange(request(1));
    await client.query('drop table fleet_members, fleet_clock');
    await expect(store.exchange(request(2, { held: 5 }))).rejects.toThrow(/fleet_clock|fleet_members/);
    expect(await store.exchange(request(3, { held: 5 }))).toMatchObject({ granted: 5, settling: true });
    await client.end();
  });

  test('a role that may not create anything works where the tables are, and is told elsewhere', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const { client, run } = await connect(database.url);
    await createPostgresStore({ run }).exchange(request(1));
    const role = `fleet_${process.pid}`;
    await client.query(`create role ${role}; grant select, insert, update, delete on fleet_members, fleet_clock to ${role};
      set role ${role}`);
    const answer = await createPostgresStore({ run }).exchange(request(2));
    expect(answer.granted).toBe(5);
    const elsewhere = createPostgresStore({ run, schema: 'elsewhere' });
    await expect(elsewhere.exchange(request(1))).rejects.toThrow(/permission denied/);
    await client.query(`reset role; drop owned by ${role}; drop role ${role}`);
    await client.end();
  });

  test('a member that stalls inside its exchange does not hold up the others for long', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const [stalled, other] = [await connect(database.url), await connect(database.url)];
    let go: (() => void) | undefined;
    const suspended = createPostgresStore({
      lockTimeoutMs: 300,
      run: (use) =>
        stalled.run((query) =>
          use(async (text, values) => {
            const result = await query(text, values);
            if (text.includes('json_agg')) await new Promise<void>((resolve) => (go = resolve));
            return result;
          }),
        ),
    });
    const store = createPostgresStore({ run: other.run, lockTimeoutMs: 300 });
    await store.exchange(request(1));
    const stuck = suspended.exchange(request(1, { id: 'stuck' }));
    stuck.catch(() => {});
    await vi.waitFor(() => expect(go).toBeDefined());
    const startedAt = performance.now();
    await vi.waitFor(() => store.exchange(request(2 + Math.floor(performance.now()))), {
      timeout: 3_000,
      interval: 20,
    });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    go?.();
    await expect(stuck).rejects.toThrow();
    await Promise.all([stalled.client.end().catch(() => {}), other.client.end()]);
  });

  test('a schema without a name is refused', () => {
    expect(() => createPostgresStore({ run: () => Promise.reject(), schema: '' })).toThrow(RangeError);
  });
});

describeWithServices(['postgres', 'processes'], 'behind PgBouncer in transaction mode', () => {
  storeContract('the store in Postgres', async () => {
    const database = await createTestDatabase({ migrated: false, leakCheck: false });
    const bouncer = await startPgBouncer({ upstream: database.url });
    const url = new URL(database.url);
    url.host = `${bouncer.host}:${bouncer.port}`;
    const [one, two] = [await connect(url.href), await connect(url.href)];
    return {
      stores: [createPostgresStore({ run: one.run }), createPostgresStore({ run: two.run })],
      async lose() {
        await one.run((query) => query('truncate fleet_members, fleet_clock'));
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([one.client.end(), two.client.end()]);
        await bouncer[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  });
});

describeWithServices('processes', 'when Postgres crashes', () => {
  test('the state is lost, which is noticed: newcomers wait, and members come back', async () => {
    await using server = await startPostgres();
    const before = await connect(server.url);
    await createPostgresStore({ run: before.run }).exchange(request(1));
    await server.kill();
    await server.start();
    const after = await connect(server.url);
    const store = createPostgresStore({ run: after.run });
    expect(await store.exchange(request(1, { id: 'new' }))).toMatchObject({ granted: 0, settling: true });
    expect(await store.exchange(request(2, { held: 5, request: 9 }))).toMatchObject({ granted: 5 });
    await after.client.end();
  });
});
