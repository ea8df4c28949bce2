import { createPool } from '@sluice/pool';
import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { isMigrated, migrate } from '../src/index.ts';
import { dumpSchema } from './support/dump-schema.ts';

describeWithServices('postgres', 'migrating', () => {
  test('brings an empty database to the schema in schema.txt, and does nothing the second time', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await using pool = createPool({ connectionString: database.url });
    expect(await isMigrated(pool)).toBe(false);
    expect((await migrate(pool))[0]).toBe(1);
    expect(await isMigrated(pool)).toBe(true);
    const dump = await dumpSchema(pool);
    // After a new migration: `vitest run --project store -u` writes it again.
    await expect(dump).toMatchFileSnapshot('../schema.txt');
    expect(await migrate(pool)).toEqual([]);
    expect(await dumpSchema(pool)).toBe(dump);
  });

  test('is done by one of eight replicas that start at once', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const pools = Array.from({ length: 8 }, () => createPool({ connectionString: database.url, size: 2 }));
    const applied = await Promise.all(pools.map((pool) => migrate(pool)));
    expect(applied.filter((numbers) => numbers.length > 0)).toHaveLength(1);
    expect(await Promise.all(pools.map((pool) => isMigrated(pool)))).not.toContain(false);
    await Promise.all(pools.map((pool) => pool.drain()));
  });

  test('refuses a database that a newer release has migrated', async () => {
    await using database = await createTestDatabase();
    await using pool = createPool({ connectionString: database.url });
    await pool.query("insert into sluice.migrations (number, name) values (9999, 'future')");
    await expect(migrate(pool)).rejects.toMatchObject({
      code: 'schema_too_new',
      details: { database: 9999 },
      message: expect.stringContaining('upgrade Sluice'),
    });
  });
});
