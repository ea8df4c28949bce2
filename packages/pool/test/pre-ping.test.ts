import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type PoolOptions } from '../src/index.ts';
import { expectAgreement } from './failure/support/agreement.ts';
import { errorOf } from './failure/support/eventually.ts';
import { useServer } from './failure/support/own-server.ts';
import { expectNoStrayErrors } from './failure/support/stray-errors.ts';
import { proxyTo } from './failure/support/through-proxy.ts';
import { withObserver } from './support/backends.ts';
import { useDatabase } from './support/database.ts';

expectNoStrayErrors();

describeWithServices('postgres', 'validation before hand-out', () => {
  const database = useDatabase();

  /** What the connection ran last when it is lent again after `idleMs`, as the server has it. */
  async function lastBeforeHandOut(
    options: Partial<PoolOptions>,
    idleMs: number,
  ): Promise<string | undefined> {
    const applicationName = `validated-${idleMs}-${options.prePing ?? 'usual'}`;
    await using pool = createPool({
      connectionString: database.url,
      applicationName,
      size: 1,
      maxOverflow: 0,
      ...options,
    });
    await pool.query("select 'of a borrower'");
    await sleep(idleMs);
    await using _lease = await pool.acquire('interactive');
    return await withObserver(
      database.url,
      async ({ backends }) => (await backends(applicationName))[0]?.query,
    );
  }

  test('costs nothing within a second of the last use', async () => {
    expect(await lastBeforeHandOut({}, 20)).toBe("select 'of a borrower'");
  });

  test('happens by default after a second of idleness', async () => {
    expect(await lastBeforeHandOut({}, 1_100)).toBe('select 1');
  });

  test('happens after the window that was set', async () => {
    expect(await lastBeforeHandOut({ prePingIdleMs: 50 }, 120)).toBe('select 1');
  });

  test('lends nothing any more once the pool drains, and hears who gives up in the middle', async () => {
    await using proxy = await proxyTo(database.url);
    const create = (options: Partial<PoolOptions>) =>
      createPool({ connectionString: proxy.url, size: 1, maxOverflow: 0, prePingIdleMs: 0, ...options });
    const drained = create({});
    await drained.query('select 1');
    proxy.delay(50);
    const late = errorOf(drained.acquire('interactive'));
    await drained.drain();
    expect(await late).toMatchObject({ code: 'pool_closed' });
    await proxy.heal();

    const controller = new AbortController();
    await using abandoned = create({
      pingTimeoutMs: 100,
      async onEvent({ type }) {
        if (type !== 'invalidate') return;
        await undefined;
        await undefined;
        controller.abort();
      },
    });
    await abandoned.query('select 1');
    proxy.drop();
    const error = await errorOf(
      abandoned.acquire('interactive', { signal: controller.signal, timeoutMs: 20_000 }),
    );
    expect(error.code).toBe('acquire_aborted');
    await proxy.heal();
  });

  test('can be switched off', async () => {
    expect(await lastBeforeHandOut({ prePing: false, prePingIdleMs: 0 }, 30)).toBe("select 'of a borrower'");
  });
});

describeWithServices('processes', 'a restart of the server that nobody told of', () => {
  const server = useServer();

  test('is survived by pre-ping: one ping fails, all old connections go, and the borrower gets a new one', async () => {
    await using proxy = await proxyTo(server().url);
    await using pool = createPool({
      connectionString: proxy.url,
      applicationName: 'restarted-in-secret',
      size: 4,
      maxOverflow: 0,
      prePingIdleMs: 0,
      pingTimeoutMs: 500,
      lanes: { only: { guaranteed: 0, priority: 1 } },
    });
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire('only')));
    await Promise.all(leases.map((lease) => lease.release()));
    expect(pool.status().checked_in).toBe(4);
    // The clients' sockets stay open: only an answer that does not come tells that their server is gone.
    proxy.halfOpen();
    await server().restart();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.status()).toMatchObject({ pings_failed: 1, checked_in: 1, checked_out: 0 });
    await expectAgreement(pool, server().url, 'restarted-in-secret');
  });
});
