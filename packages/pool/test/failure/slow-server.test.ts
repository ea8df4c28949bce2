import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

describeWithServices('postgres', 'a server that is slow', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  async function burst(applicationName: string): Promise<number> {
    await using pool = createPool({ connectionString: proxy.url, applicationName });
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    const bulk = pool.lane('bulk');
    const answers = await Promise.all(numbers.map((n) => bulk.query('select $1::int as n', [n])));
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(numbers);
    expect(pool.status()).toMatchObject({ waiting: 0, checked_out: 0, timeouts: 0, shed: 0 });
    await expectAgreement(pool, database.url, applicationName);
    return pool.status().opened;
  }

  test('in accepting connections is not hit with many of them by a burst of 500 short queries', async () => {
    proxy.delay({ connect: 150 });
    const opened = await burst('slow-connect');
    // The pool could open 50, and its core has 20. Four come first, and as many again may be on their way when all is done.
    expect(opened).toBeLessThan(20);
  });

  test('in every answer loses none of 500 queries either', async () => {
    proxy.delay(5);
    await burst('slow-answers');
  });
});
