import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cache, getJson, getVector, setJson, setVector } from '../src/index.ts';

const ttlMs = 60_000;

/** What every cache has to do, wherever its entries lie. */
export function cacheContract(title: string, provide: () => Promise<Cache>): void {
  describe(title, () => {
    let cache: Cache;

    beforeAll(async () => {
      cache = await provide();
    });
    afterAll(() => cache.close());

    test('gives back the bytes that were set, and null for an unknown key', async () => {
      const key = randomUUID();
      const value = randomBytes(5_000);
      expect(await cache.get(key)).toBeNull();
      await cache.set(key, value, { ttlMs });
      expect(Buffer.from((await cache.get(key)) ?? [])).toEqual(value);
    });

    test('keeps empty values, keys in any script, and every byte', async () => {
      await cache.set('rỗng:đấu thầu', new Uint8Array(0), { ttlMs });
      expect((await cache.get('rỗng:đấu thầu'))?.byteLength).toBe(0);
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await cache.set('bytes', all, { ttlMs });
      expect(new Uint8Array((await cache.get('bytes')) ?? [])).toEqual(all);
    });

    test('replaces a value, and forgets it when it is deleted', async () => {
      const key = randomUUID();
      await cache.set(key, Uint8Array.of(1), { ttlMs });
      await cache.set(key, Uint8Array.of(2), { ttlMs });
      expect((await cache.get(key))?.[0]).toBe(2);
      await cache.delete(key);
      await cache.delete(key);
      expect(await cache.get(key)).toBeNull();
    });

    test('forgets a value when its time is over', async () => {
      const key = randomUUID();
      await cache.set(key, Uint8Array.of(1), { ttlMs: 80 });
      expect(await cache.get(key)).not.toBeNull();
      await sleep(120);
      expect(await cache.get(key)).toBeNull();
    });

    test('is not affected when the caller changes its buffer afterwards', async () => {
      const key = randomUUID();
      const value = Uint8Array.of(1, 2, 3);
      await cache.set(key, value, { ttlMs });
      value.fill(9);
      expect([...((await cache.get(key)) ?? [])]).toEqual([1, 2, 3]);
    });

    test('stores a view without the rest of its buffer', async () => {
      const key = randomUUID();
      const large = new Uint8Array(1_000_000).fill(7);
      await cache.set(key, large.subarray(10, 13), { ttlMs });
      expect([...((await cache.get(key)) ?? [])]).toEqual([7, 7, 7]);
    });

    test('counts hits, misses and errors', async () => {
      const before = cache.stats();
      const key = randomUUID();
      await cache.get(key);
      await cache.set(key, Uint8Array.of(1), { ttlMs });
      await cache.get(key);
      await cache.get(key);
      const after = cache.stats();
      expect(after.hits - before.hits).toBe(2);
      expect(after.misses - before.misses).toBe(1);
      expect(after.errors).toBe(0);
    });

    test('answers a ping', async () => {
      await expect(cache.ping()).resolves.toBeUndefined();
    });

    test('carries JSON, and takes what no longer has the expected shape for a miss', async () => {
      const key = randomUUID();
      const numbers = (value: unknown): number[] => {
        if (Array.isArray(value)) return value;
        throw new TypeError('not a list');
      };
      expect(await getJson(cache, key, numbers)).toBeNull();
      await setJson(cache, key, [1, 2.5, 3], { ttlMs });
      expect(await getJson(cache, key, numbers)).toEqual([1, 2.5, 3]);
      await setJson(cache, key, { other: 'shape' }, { ttlMs });
      expect(await getJson(cache, key, numbers)).toBeNull();
      await cache.set(key, Uint8Array.of(0x7b), { ttlMs });
      expect(await getJson(cache, key, numbers)).toBeNull();
    });

    test('carries vectors exactly, and takes one of another length for a miss', async () => {
      const key = randomUUID();
      const vector = Float32Array.from({ length: 384 }, (_, index) => Math.sin(index) / 3);
      await setVector(cache, key, vector.subarray(1), { ttlMs });
      expect(await getVector(cache, key, 383)).toEqual(vector.slice(1));
      expect(await getVector(cache, key, 384)).toBeNull();
    });
  });
}
