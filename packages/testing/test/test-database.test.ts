import { createPool } from '@sluice/pool';
import { expect, test } from 'vitest';
import { createTestDatabase, describeWithServices, startPostgres, testServices } from '../src/index.ts';
import { dropDatabasesOfRun } from '../src/test-database.ts';

async function namesOfDatabases(): Promise<string[]> {
  await using pool = createPool({ connectionString: testServices().databaseUrl ?? '' });
  const { rows } = await pool.query<{ datname: string }>('select datname from pg_database');
  return rows.map((row) => row.datname);
}

describeWithServices('postgres', 'a test database', () => {
  test('is not seen by another one', async () => {
    await using left = await createTestDatabase();
    await using right = await createTestDatabase();
    await using leftPool = createPool({ connectionString: left.url });
    await using rightPool = createPool({ connectionString: right.url });
    await leftPool.query('create table only_left (id int)');
    const { rows } = await rightPool.query("select to_regclass('only_left') as found");
    expect(rows).toEqual([{ found: null }]);
  });

  test('has the schema of the newest migration', async () => {
    await using database = await createTestDatabase();
    await using pool = createPool({ connectionString: database.url });
    const { rows } = await pool.query("select to_regclass('sluice.uploads')::text as found");
    expect(rows).toEqual([{ found: 'sluice.uploads' }]);
  });

  test('has only pgvector when it is asked for unmigrated', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await using pool = createPool({ connectionString: database.url });
    const { rows } = await pool.query(
      "select '[1,2]'::vector::text as vector, to_regnamespace('sluice') as schema",
    );
    expect(rows).toEqual([{ vector: '[1,2]', schema: null }]);
  });

  test('can be created many times at once', async () => {
    const databases = await Promise.all(Array.from({ length: 6 }, () => createTestDatabase()));
    expect(new Set(databases.map((database) => database.name)).size).toBe(6);
    await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
  });

  test('is gone after disposal', async () => {
    const database = await createTestDatabase();
    expect(await namesOfDatabases()).toContain(database.name);
    await database[Symbol.asyncDispose]();
    expect(await namesOfDatabases()).not.toContain(database.name);
  });

  test('fails its disposal when a connection is left open, names it, and is gone all the same', async () => {
    const database = await createTestDatabase();
    await using pool = createPool({ connectionString: database.url, applicationName: 'forgetful' });
    await pool.query('select 42');
    const disposal = database[Symbol.asyncDispose]();
    await expect(disposal).rejects.toMatchObject({
      code: 'CONNECTIONS_LEAKED',
      message: expect.stringMatching(/1 connection.*"forgetful", idle/s),
    });
    expect(await namesOfDatabases()).not.toContain(database.name);
  });
});

describeWithServices('processes', 'the end of a run', () => {
  test('drops the databases of this run and those of killed runs of other days, and no others', async () => {
    await using server = await startPostgres();
    await using pool = createPool({ connectionString: server.url });
    const id = (secondsAgo: number) => `${Math.floor(Date.now() / 1000 - secondsAgo).toString(36)}_1`;
    const runId = id(0);
    const names = [
      `sluice_test_${runId}_mine`,
      `sluice_test_${id(60)}_of_a_neighbour`,
      `sluice_test_${id(2 * 86_400)}_stale`,
      'sluice_testimony',
    ];
    for (const name of names) await pool.query(`create database ${name}`);
    await dropDatabasesOfRun({ ...testServices(), databaseUrl: server.url, runId });
    const { rows } = await pool.query<{ datname: string }>(
      "select datname from pg_database where datname like 'sluice%' order by oid",
    );
    expect(rows.map((row) => row.datname)).toEqual([names[1], names[3]]);
  });
});
