import { randomInt } from 'node:crypto';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { abortAtRandom } from './support/abort-at-random.ts';
import { expectAgreement } from './support/agreement.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';

expectNoStrayErrors();

describeWithServices('postgres', 'an aborted statement', () => {
  const database = useDatabase();

  for (const size of [1, 2, 3]) {
    test(`never takes the next one with it, on ${size} connections`, async () => {
      const seed = randomInt(2 ** 31);
      const applicationName = `race-${size}`;
      await using pool = createPool({
        connectionString: database.url,
        size,
        maxOverflow: 0,
        applicationName,
        lanes: { only: { guaranteed: 0, priority: 1 } },
      });
      const tally = await abortAtRandom(pool, { count: 500, users: 2 * size, seed });
      expect(tally.answered + tally.aborted, `seed ${seed}`).toBe(500);
      expect(tally.answered, `seed ${seed}`).toBeGreaterThan(100);
      expect(tally.aborted, `seed ${seed}`).toBeGreaterThan(20);
      expect(pool.status(), `seed ${seed}`).toMatchObject({ invalid: 0, opened: size });
      await expectAgreement(pool, database.url, applicationName);
    });
  }
});
