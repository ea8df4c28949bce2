import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cache, getVector, setVector } from '../src/index.ts';

const ttlMs = 60_000;

type Subject = Pick<Cache, 'get' | 'set' | 'ping' | 'close'>;

/** What every cache has to do, wherever its entries lie. */
export function cacheContract(title: string, provide: () => Promise<Subject>): void {
  describe(title, () => {
    let cache: Subject;
    const bytesAt = async (key: string) => (await cache.get(key))?.value;

    beforeAll(async () => {
      cache = await provide();
    });
    afterAll(() => cache.close());

    test('gives back the bytes that were set, and null for an unknown key', async () => {
      const key = randomUUID();
      const value = randomBytes(5_000);
      expect(await cache.get(key)).toBeNull();
      await cache.set(key, value, { ttlMs });
      expect(Buffer.from((await bytesAt(key)) ?? [])).toEqual(value);
    });

    test('keeps empty values, keys in any script, and every byte', async () => {
      await cache.set('rỗng:đấu thầu', new Uint8Array(0), { ttlMs });
      expect((await bytesAt('rỗng:đấu thầu'))?.byteLength).toBe(0);
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await cache.set('bytes', all, { ttlMs });
      expect(new Uint8Array((await bytesAt('bytes')) ?? [])).toEqual(all);
    });

    test('replaces a value', async () => {
      const key = randomUUID();
      await cache.set(key, Uint8Array.of(1), { ttlMs });
      await cache.set(key, Uint8Array.of(2), { ttlMs });
      expect((await bytesAt(key))?.[0]).toBe(2);
    });

    test('says how long an entry still lives', async () => {
      const key = randomUUID();
      await cache.set(key, Uint8Array.of(1), { ttlMs });
      const { ttlMs: left = 0 } = (await cache.get(key)) ?? {};
      expect(left).toBeGreaterThan(ttlMs - 10_000);
      // lru-cache reads the clock at most once a turn of the event loop.
      expect(left).toBeLessThanOrEqual(ttlMs + 100);
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
      expect([...((await bytesAt(key)) ?? [])]).toEqual([1, 2, 3]);
    });

    test('stores a view without the rest of its buffer', async () => {
      const key = randomUUID();
      const large = new Uint8Array(1_000_000).fill(7);
      await cache.set(key, large.subarray(10, 13), { ttlMs });
      expect([...((await bytesAt(key)) ?? [])]).toEqual([7, 7, 7]);
    });

    test('answers a ping', async () => {
      await expect(cache.ping()).resolves.toBeUndefined();
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

/** For caches that look in one place. */
export async function expectLookupsCounted(cache: Cache): Promise<void> {
  await cache.get('answer:1');
  await cache.set('answer:1', Uint8Array.of(1), { ttlMs });
  await cache.get('answer:1');
  await cache.get('answer:1');
  await cache.get('vector:1');
  expect(cache.stats()).toMatchObject({
    errors: 0,
    kinds: { answer: { hits: 2, misses: 1, busy: 0 }, vector: { hits: 0, misses: 1, busy: 0 } },
  });
}
