import { createPool } from '@sluice/pool';
import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { startBackPressure } from '../src/back-pressure.ts';

describeWithServices(['postgres'], 'back-pressure', () => {
  test('takes no more jobs while those under way wait for the database, and goes on afterwards', async () => {
    await using database = await createTestDatabase();
    await using pool = createPool({ connectionString: database.url, size: 2, maxOverflow: 0 });
    const said: string[] = [];
    using _ = startBackPressure({
      pool,
      consumer: { pause: () => said.push('pause'), resume: () => said.push('resume') },
      intervalMs: 20,
      patienceMs: 200,
      onChange: ({ paused, waiting }) => said.push(`${paused} ${Math.min(waiting, 1)}`),
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const hold = () => pool.session('bulk', () => ended);
    // All that the lane can have, beside what others are promised: nobody waits, so all is well.
    const holders = [hold()];
    await expect.poll(() => pool.status().lanes.bulk?.checked_out).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(said).toEqual([]);
    holders.push(hold());
    await expect.poll(() => said).toEqual(['pause', 'true 1']);
    end();
    await expect.poll(() => said).toEqual(['pause', 'true 1', 'resume', 'false 0']);
    await Promise.all(holders);
  });
});
