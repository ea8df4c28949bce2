import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@sluice/testing';
import { expect } from 'vitest';
import type { Pool } from '../../../src/index.ts';

export interface Tally {
  answered: number;
  aborted: number;
}

/**
 * `count` short statements by `users` users; half of them are aborted at a random moment, some before they begin and some
 * after they have ended. Whoever is not aborted has to get their own answer.
 */
export async function abortAtRandom(
  pool: Pool,
  { count, users, seed }: { count: number; users: number; seed: number },
): Promise<Tally> {
  const random = createRandom(seed).next;
  const tally: Tally = { answered: 0, aborted: 0 };
  let next = 0;

  async function ask(n: number): Promise<void> {
    const takesMs = random() * 3;
    const abortAfterMs = random() < 0.5 ? random() * 6 : undefined;
    const controller = new AbortController();
    const asking = pool.query<{ n: number }>(
      'select $1::int as n, pg_sleep($2::float8)',
      [n, takesMs / 1_000],
      { signal: controller.signal, prepare: random() < 0.3 },
    );
    const timer = abortAfterMs === undefined ? undefined : setTimeout(() => controller.abort(), abortAfterMs);
    try {
      const { rows } = await asking;
      expect(rows[0]?.n, `seed ${seed}`).toBe(n);
      tally.answered += 1;
    } catch (error) {
      const { code } = error as { code?: string };
      // A statement of somebody else that was hit by our cancel request would fail with 57014.
      if (!controller.signal.aborted || !/^(query|acquire)_aborted$/.test(code ?? '')) {
        throw new Error(`seed ${seed}, statement ${n}`, { cause: error });
      }
      tally.aborted += 1;
    } finally {
      clearTimeout(timer);
    }
  }

  await Promise.all(
    Array.from({ length: users }, async () => {
      while (next < count) {
        next += 1;
        await ask(next);
        if (random() < 0.1) await sleep(random() * 3);
      }
    }),
  );
  return tally;
}
