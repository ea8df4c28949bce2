import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from '../src/index.ts';

/** The cache once its server answers; a new one misses until then. */
export async function connected<C extends Cache>(cache: C): Promise<C> {
  for (;;) {
    const answered = await cache.ping().then(
      () => true,
      () => false,
    );
    if (answered) return cache;
    await sleep(10);
  }
}
