import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool } from '../src/index.ts';
import { FakeClock } from './mechanism/support/fake-clock.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'recycling', () => {
  const database = useDatabase();

  test('spreads over the last tenth of the age, so that connections opened together do not go together', async () => {
    const clock = new FakeClock();
    await using pool = createPool({
      connectionString: database.url,
      size: 20,
      maxOverflow: 0,
      recycleMs: 100_000,
      idleTimeoutMs: 0,
      clock,
      lanes: { only: { guaranteed: 0, priority: 1 } },
    });
    const leases = await Promise.all(Array.from({ length: 20 }, () => pool.acquire('only')));
    await Promise.all(leases.map((lease) => lease.release()));
    const { status } = pool;
    await clock.advance(89_999);
    expect(status()).toMatchObject({ recycled: 0, checked_in: 20 });
    const steps: number[] = [];
    for (let at = 90_000; at < 106_000; at += 500) {
      const before = status().recycled;
      await clock.advance(500);
      if (status().recycled > before) steps.push(at);
    }
    // It is looked for every 5 s, and those of one step have ages that differ by less than that.
    expect(steps.length).toBeGreaterThanOrEqual(2);
    await expect.poll(() => status().recycled).toBe(20);
    await expect.poll(() => status().closed).toBe(20);
  });
});
