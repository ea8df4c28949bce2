import { expect, test } from 'vitest';
import { createMemoryCache } from '../src/index.ts';
import { cacheContract, expectLookupsCounted } from './cache-contract.ts';

cacheContract('the cache in process', async () => createMemoryCache({ maxBytes: 10_000_000 }));

test('never holds more bytes than it may, and keeps what was used last', async () => {
  await using cache = createMemoryCache({ maxBytes: 100_000 });
  const value = new Uint8Array(1_000);
  for (let n = 0; n < 1_000; n += 1) {
    await cache.set(`key ${n}`, value, { ttlMs: 60_000 });
    await cache.get('key 0');
    expect(cache.stats().bytes).toBeLessThanOrEqual(100_000);
  }
  expect(cache.stats().entries).toBeGreaterThan(50);
  expect(await cache.get('key 0')).not.toBeNull();
  expect(await cache.get('key 1')).toBeNull();
  expect(await cache.get('key 999')).not.toBeNull();
});

test('never holds more entries than it may, and counts those that made room', async () => {
  await using cache = createMemoryCache({ maxBytes: 1_000_000, maxEntries: 10 });
  for (let n = 0; n < 25; n += 1) {
    await cache.set(`key ${n}`, Uint8Array.of(n), { ttlMs: 60_000 });
    await cache.get('key 0');
  }
  expect(cache.stats()).toMatchObject({ entries: 10, evictions: 15 });
  expect(await cache.get('key 0')).not.toBeNull();
  expect(await cache.get('key 24')).not.toBeNull();
  expect(await cache.get('key 1')).toBeNull();
});

test('counts its lookups by kind', async () => {
  await using cache = createMemoryCache({ maxBytes: 1_000_000 });
  await expectLookupsCounted(cache);
});

test('does not keep a value that is larger than itself, nor the older one of that key', async () => {
  await using cache = createMemoryCache({ maxBytes: 1_000 });
  await cache.set('key', new Uint8Array(10), { ttlMs: 60_000 });
  await cache.set('key', new Uint8Array(5_000), { ttlMs: 60_000 });
  expect(await cache.get('key')).toBeNull();
  expect(cache.stats()).toMatchObject({ entries: 0, bytes: 0 });
});

test('refuses a size that is not positive', () => {
  for (const options of [{ maxBytes: 0 }, { maxBytes: 1, maxEntries: 0 }]) {
    expect(() => createMemoryCache(options)).toThrow(
      expect.objectContaining({ code: 'cache_invalid_option' }),
    );
  }
});
