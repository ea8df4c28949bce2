import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@sluice/pool';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createApiKey,
  createApiKeyRing,
  createCatalog,
  createFirstApiKey,
  findApiKey,
  type NewApiKey,
  revokeApiKey,
  rotateApiKey,
} from '../src/index.ts';
import { type OpenDatabase, openEmbedded, openPostgres } from './support/both-databases.ts';

const plain: NewApiKey = {
  name: 'of a test',
  scopes: ['query'],
  collections: null,
  requestsPerMinute: null,
  uploadsPerDay: null,
  uploadBytesPerDay: null,
  expiresAt: null,
  createdBy: 'test',
};

function apiKeys(open: OpenDatabase): void {
  let opened: Awaited<ReturnType<OpenDatabase>>;
  let pool: Pool;
  beforeAll(async () => {
    opened = await open();
    pool = opened.pool;
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  test('of many first starts at once one makes the first key, and no later one another', async () => {
    const first = () => pool.lane('control').transaction((transaction) => createFirstApiKey(transaction));
    const made = (await Promise.all(Array.from({ length: 8 }, first))).filter((key) => key !== undefined);
    expect(made).toHaveLength(1);
    await revokeApiKey(pool, made[0]?.id as string);
    expect(await first()).toBeUndefined();
  });

  test('the table holds nothing of a key but its id and a hash', async () => {
    const { key, id } = await createApiKey(pool, plain);
    expect(key).toMatch(/^slu_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/);
    const { rows } = await pool.query<{ row: string }>(
      'select to_jsonb(k)::text as row from sluice.api_keys k where id = $1::text',
      [id],
    );
    expect(rows[0]?.row).not.toContain(key.slice(17));
  });

  test('a key is found by its whole text only, and its use is noted', async () => {
    await using ring = createApiKeyRing(pool);
    const { key, id } = await createApiKey(pool, plain);
    const other = await createApiKey(pool, plain);
    expect((await ring.find(key))?.check).toMatchObject({ id, scopes: ['query'], collections: null });
    const last = key.endsWith('x') ? 'y' : 'x';
    const idOfOne = `slu_${id}_${other.key.slice(17)}`;
    for (const wrong of ['', 'x', key.slice(0, -1), `${key}x`, `${key.slice(0, -1)}${last}`, idOfOne])
      expect(await ring.find(wrong)).toBeUndefined();
    await expect
      .poll(async () => (await findApiKey(pool, id))?.lastUsedAt, { timeout: 10_000 })
      .toBeInstanceOf(Date);
    expect((await findApiKey(pool, other.id))?.lastUsedAt).toBeNull();
  });

  test('a key that was made a moment ago elsewhere is found by all who send it at once', async () => {
    await using ring = createApiKeyRing(pool, { pollMs: 60_000 });
    await ring.refresh();
    const { key } = await createApiKey(pool, plain);
    const found = await Promise.all(Array.from({ length: 8 }, () => ring.find(key)));
    expect(found.filter((one) => one !== undefined)).toHaveLength(8);
  });

  test('one that is revoked or has expired is not found, nor valid where it was', async () => {
    await using ring = createApiKeyRing(pool);
    const revoked = await createApiKey(pool, plain);
    const brief = await createApiKey(pool, { ...plain, expiresAt: new Date(Date.now() + 1_500) });
    const found = await Promise.all([ring.find(revoked.key), ring.find(brief.key)]);
    expect(found.map((one) => one?.isValid())).toEqual([true, true]);
    await revokeApiKey(pool, revoked.id);
    await ring.refresh();
    expect(found[0]?.isValid()).toBe(false);
    expect(await ring.find(revoked.key)).toBeUndefined();
    await expect.poll(() => found[1]?.isValid(), { timeout: 5_000 }).toBe(false);
    expect(await ring.find(brief.key)).toBeUndefined();
  });

  test('after a rotation both keys are taken for the time of grace, and of an earlier one none', async () => {
    await using ring = createApiKeyRing(pool);
    const first = await createApiKey(pool, plain);
    const second = await rotateApiKey(pool, first.id, 60_000);
    expect(second).toMatchObject({ id: first.id, name: first.name, lastUsedAt: null });
    await ring.refresh();
    expect(await ring.find(first.key)).toBeDefined();
    expect(await ring.find(second?.key as string)).toBeDefined();
    const third = await rotateApiKey(pool, first.id, 0);
    await ring.refresh();
    const found = await Promise.all([first, second, third].map((one) => ring.find(one?.key as string)));
    expect(found.map((one) => one !== undefined)).toEqual([false, false, true]);
    await revokeApiKey(pool, first.id);
    expect(await rotateApiKey(pool, first.id, 0)).toBeUndefined();
  });

  test('however many unknown keys are tried, the table is read ten times a second at most for them', async () => {
    await using ring = createApiKeyRing(pool, { pollMs: 60_000 });
    await ring.refresh();
    let reads = -1;
    ring.watch(() => {
      reads += 1;
    });
    const start = performance.now();
    const unknown = (n: number) => `slu_${String(n).padStart(12, '0')}_${'x'.repeat(43)}`;
    for (let n = 0; n < 500; n += 1) expect(await ring.find(unknown(n))).toBeUndefined();
    const tenths = Math.ceil((performance.now() - start) / 100);
    // Watchers are called at every read, and once a second besides.
    expect(reads).toBeLessThanOrEqual(1.1 * tenths + 1);
  });

  test('keys are good for a while after the database was last heard of, and then it has to be asked', async () => {
    await using own = await open();
    await using ring = createApiKeyRing(own.pool, { pollMs: 60_000, maxAgeMs: 2_000 });
    const { key } = await createApiKey(own.pool, plain);
    await ring.refresh();
    await own.pool.drain();
    const found = await ring.find(key);
    expect(found?.isValid()).toBe(true);
    await expect.poll(() => found?.isValid(), { timeout: 5_000 }).toBe(false);
    await expect(ring.find(key)).rejects.toThrow();
  });

  test('who listens hears of a key that is made or revoked by hand, and not of one that is used', async () => {
    let heard = 0;
    await using catalog = createCatalog(pool, {
      changes: 'listen',
      onApiKeys: () => {
        heard += 1;
      },
    });
    await catalog.refresh();
    await expect.poll(() => heard, { timeout: 5_000 }).toBe(1);
    const { id } = await createApiKey(pool, plain);
    await expect.poll(() => heard, { timeout: 5_000 }).toBe(2);
    await pool.query('update sluice.api_keys set last_used_at = now() where id = $1::text', [id]);
    await pool.query('update sluice.api_keys set revoked_at = now() where id = $1::text', [id]);
    await expect.poll(() => heard, { timeout: 5_000 }).toBe(3);
    await sleep(100);
    expect(heard).toBe(3);
  });

  test('the database refuses a key for some collections that would see them all', async () => {
    const wide = createApiKey(pool, { ...plain, scopes: ['query', 'monitor'], collections: ['law'] });
    await expect(wide).rejects.toMatchObject({ code: '23514' });
  });
}

describeWithServices('postgres', 'API keys', () => apiKeys(openPostgres));
describe('API keys, embedded', () => apiKeys(openEmbedded));
