import { expect } from 'vitest';
import type { Pool } from '../../../src/index.ts';
import { withObserver } from '../../support/backends.ts';
import { eventually } from './eventually.ts';

/** Once nothing is being opened or closed, the server has exactly the connections that the pool counts. */
export async function expectAgreement(pool: Pool, url: string, applicationName: string): Promise<void> {
  await withObserver(url, async ({ backends }) => {
    await eventually(async () => {
      const { checked_in, checked_out, listening, opening, closing } = pool.status();
      const counted = { opening, closing, open: checked_in + checked_out + listening };
      const found = (await backends(applicationName)).length;
      expect(counted).toEqual({ opening: 0, closing: 0, open: found });
    });
  });
}
