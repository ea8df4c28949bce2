import { describeWithServices } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTarget } from '../../src/hosts.ts';
import { createPool } from '../../src/index.ts';
import { createListener } from '../../src/listener.ts';
import { createOpener } from '../../src/open-connection.ts';
import { resolvePoolOptions } from '../../src/options.ts';
import { withObserver } from '../support/backends.ts';
import { useDatabase } from '../support/database.ts';
import { expectAgreement } from './support/agreement.ts';
import { until } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';
import { proxyTo } from './support/through-proxy.ts';

expectNoStrayErrors();

describeWithServices('postgres', 'a listener', () => {
  const database = useDatabase();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  beforeEach(async () => {
    proxy = await proxyTo(database.url);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const notify = async (payload: string) => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    await pool.query('select pg_notify($1::text, $2::text)', ['news', payload]);
  };

  const breaks = {
    'a reset': async () => proxy.reset(),
    'its backend is killed': () =>
      withObserver(database.url, async ({ backends, terminate }) => {
        await terminate(...(await backends('listening')).map(({ pid }) => pid));
      }),
    'the server refuses for a while': async () => {
      proxy.refuse();
      proxy.reset();
      await until(() => proxy.connections === 0);
      await proxy.heal();
    },
  };
  for (const [what, breakIt] of Object.entries(breaks)) {
    test(`hears again after ${what}, and is told that it may have missed something`, async () => {
      const heard: string[] = [];
      await using pool = createPool({ connectionString: proxy.url, applicationName: 'listening' });
      const listener = pool.listen('news', (payload) => heard.push(payload));
      await until(() => heard.length === 1);
      await notify('first');
      await until(() => heard.length === 2);
      await breakIt();
      await until(() => heard.length === 3);
      await notify('second');
      await until(() => heard.length === 4);
      expect(heard).toEqual(['', 'first', '', 'second']);
      await expectAgreement(pool, database.url, 'listening');
      await listener.close();
      expect(pool.status().listening).toBe(0);
      await expectAgreement(pool, database.url, 'listening');
    });
  }

  test('notices a black hole by itself, and hears again after it', async () => {
    const heard: string[] = [];
    const options = resolvePoolOptions({
      connectionString: proxy.url,
      applicationName: 'deaf',
      connectTimeoutMs: 400,
    });
    const opener = createOpener(parseTarget(proxy.url), options);
    const listener = createListener({
      channel: 'news',
      onPayload: (payload) => heard.push(payload),
      open: (onDead) => opener.open(onDead),
      onClosed: () => {},
      checkEveryMs: 100,
      answerWithinMs: 300,
    });
    await until(() => heard.length === 1);
    proxy.drop();
    await notify('lost');
    await until(() => proxy.accepted > 1);
    await proxy.heal();
    await until(() => heard.length === 2);
    await notify('heard');
    await until(() => heard.length === 3);
    expect(heard).toEqual(['', '', 'heard']);
    await listener.close();
  });

  test('survives a user who throws, and does not open another connection for that', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    await using pool = createPool({ connectionString: proxy.url, applicationName: 'listening' });
    let told = 0;
    const listener = pool.listen('news', () => {
      told += 1;
      throw new Error('a bad listener');
    });
    await until(() => told === 1);
    await notify('again');
    await until(() => told === 2 && warnings.length > 0);
    process.off('warning', onWarning);
    expect(warnings.join()).toContain('a bad listener');
    expect(proxy.accepted).toBe(1);
    await expectAgreement(pool, database.url, 'listening');
    await listener.close();
  });

  test('that is closed while it waits to reconnect stays closed', async () => {
    const heard: string[] = [];
    await using pool = createPool({ connectionString: proxy.url, applicationName: 'listening' });
    const listener = pool.listen('news', (payload) => heard.push(payload));
    await until(() => heard.length === 1);
    proxy.refuse();
    proxy.reset();
    await until(() => proxy.connections === 0);
    await listener.close();
    await listener.close();
    await proxy.heal();
    await expectAgreement(pool, database.url, 'listening');
    expect(heard).toEqual(['']);
    expect(pool.status().listening).toBe(0);
  });
});
