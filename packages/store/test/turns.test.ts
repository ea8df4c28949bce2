import { createPool, type Pool } from '@sluice/pool';
import { createTestDatabase, describeWithServices, type TestDatabase } from '@sluice/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { assignTurns, type Collection, claimUpload, placeInLine } from '../src/index.ts';
import { makeCollection, makeUpload } from './support/fixtures.ts';

describeWithServices(['postgres'], 'turns', () => {
  const databases: TestDatabase[] = [];
  const pools: Pool[] = [];
  let pool: Pool;
  beforeEach(async () => {
    const database = await createTestDatabase();
    databases.push(database);
    pool = createPool({ connectionString: database.url, size: 2, maxOverflow: 0 });
    pools.push(pool);
  });
  afterAll(async () => {
    await Promise.all(pools.map((each) => each.drain()));
    await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
  });

  async function waiting(collection: Collection, count: number, priority = 'normal'): Promise<string[]> {
    const ids = [];
    for (let i = 0; i < count; i += 1) ids.push(await makeUpload(pool, collection));
    await pool.query('update sluice.uploads set priority = $2::text where id = any($1::uuid[])', [
      ids,
      priority,
    ]);
    await assignTurns(pool, ids);
    return ids;
  }

  /** In the order of their turns; `label` by id. */
  async function line(labels: Record<string, readonly string[]>): Promise<string> {
    const { rows } = await pool.query<{ id: string }>(
      `select id from sluice.uploads where state = 'queued' order by turn, sequence`,
    );
    return rows.map(({ id }) => Object.entries(labels).find(([, ids]) => ids.includes(id))?.[0]).join('');
  }

  async function work(count: number): Promise<void> {
    const { rows } = await pool.query<{ id: string }>(
      `select id from sluice.uploads where state = 'queued' order by turn, sequence limit $1::int`,
      [count],
    );
    for (const { id } of rows) await claimUpload(pool, id);
  }

  test('a batch of one collection does not hold up the single file of another', async () => {
    const a = await waiting(await makeCollection(pool), 30);
    await work(10);
    const b = await waiting(await makeCollection(pool), 1);
    expect((await line({ a, b })).indexOf('b')).toBeLessThanOrEqual(2);
  });

  test('two collections with a backlog take turns, whichever came first', async () => {
    const a = await waiting(await makeCollection(pool), 20);
    await work(6);
    const b = await waiting(await makeCollection(pool), 5);
    expect(await line({ a, b })).toMatch(/^a{0,2}(ab|ba){4,5}/);
  });

  test('a collection that keeps bringing files does not starve one that waits', async () => {
    const a = await waiting(await makeCollection(pool), 12);
    await work(4);
    const second = await makeCollection(pool);
    const b: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      b.push(...(await waiting(second, 2)));
      await work(2);
    }
    const left = await line({ a, b });
    expect([...left].filter((label) => label === 'a').length).toBeLessThanOrEqual(2);
    expect(left.length).toBe(8);
  });

  test('a higher priority gets four turns for one of the next, and the lower ones still get theirs', async () => {
    const collection = await makeCollection(pool);
    const n = await waiting(collection, 12);
    const h = await waiting(collection, 12, 'high');
    const l = await waiting(collection, 3, 'low');
    const order = await line({ h, n, l });
    const first = order.slice(0, 15);
    expect([...first].filter((label) => label === 'h').length).toBeGreaterThanOrEqual(11);
    expect([...first].filter((label) => label === 'n').length).toBeGreaterThanOrEqual(2);
    expect(order.indexOf('l')).toBeLessThan(order.lastIndexOf('n'));
  });

  test('one that is between two attempts does not hold time back', async () => {
    const first = await makeCollection(pool);
    const [stuck] = await waiting(first, 1);
    await claimUpload(pool, stuck as string);
    const a = await waiting(first, 20);
    await work(10);
    await pool.query(`update sluice.uploads set state = 'queued' where id = $1::uuid`, [stuck]);
    const b = await waiting(await makeCollection(pool), 3);
    expect((await line({ a, b, s: [stuck as string] })).slice(1)).toMatch(/^a{0,2}(ab|ba)/);
  });

  test('an empty line begins anew, so turns do not run out', async () => {
    const collection = await makeCollection(pool);
    await waiting(collection, 5);
    await work(5);
    const [id] = await waiting(collection, 1);
    const { rows } = await pool.query('select turn from sluice.uploads where id = $1::uuid', [id]);
    expect(rows).toEqual([{ turn: 4 }]);
    expect(await placeInLine(pool, 4)).toEqual({ ahead: 0, underWay: 5 });
  });
});
