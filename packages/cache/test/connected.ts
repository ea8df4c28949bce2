import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from '../src/index.ts';

/** The cache once its server answers; a new one misses until then. */
export async function connected(cache: Cache): Promise<Cache> {
  for (;;) {
    const answered = await cache.ping().then(
      () => true,
      () => false,
    );
    if (answered) return cache;
    await sleep(10);
  }
}
