import {
  describeWithServices,
  freePort,
  type RunningReplica,
  type RunningService,
  startFaultProxy,
  startPostgres,
  startReplica,
} from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool, isTransient, type PoolEvent } from '../../src/index.ts';
import { expectAgreement } from './support/agreement.ts';
import { errorOf, eventually } from './support/eventually.ts';
import { expectNoStrayErrors } from './support/stray-errors.ts';

expectNoStrayErrors();

const portQuery = "select current_setting('port')::int as port";

/** The tests follow the history of a cluster: the last one ends the first primary. */
describeWithServices('processes', 'of several hosts', () => {
  let primary: RunningService;
  let replica: RunningReplica;
  beforeAll(async () => {
    primary = await startPostgres();
    await using pool = createPool({ connectionString: primary.url, size: 1, maxOverflow: 0 });
    await pool.query('create table writes (n int not null)');
    replica = await startReplica(primary);
  });
  afterAll(async () => {
    await replica?.[Symbol.asyncDispose]();
    await primary?.[Symbol.asyncDispose]();
  });

  function urlOf(session: string, ports = [primary.port, replica.port]): string {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const url = new URL(primary.url);
    return `postgres://${url.username}:${url.password}@${hosts}/postgres?target_session_attrs=${session}`;
  }
  const portOf = async (connectionString: string) => {
    await using pool = createPool({ connectionString, size: 2, maxOverflow: 0 });
    return (await pool.query(portQuery)).rows[0]?.port;
  };

  test('each kind of session is found wherever it is in the list', async () => {
    const [p, r] = [primary.port, replica.port];
    for (const ports of [
      [p, r],
      [r, p],
    ]) {
      expect(await portOf(urlOf('read-write', ports))).toBe(p);
      expect(await portOf(urlOf('primary', ports))).toBe(p);
      expect(await portOf(urlOf('standby', ports))).toBe(r);
      expect(await portOf(urlOf('read-only', ports))).toBe(r);
      expect(await portOf(urlOf('prefer-standby', ports))).toBe(r);
      expect(await portOf(urlOf('any', ports))).toBe(ports[0]);
    }
  });

  test('that have no standby, `prefer-standby` takes what there is and `standby` says that there is none', async () => {
    const nobody = await freePort();
    expect(await portOf(urlOf('prefer-standby', [nobody, primary.port]))).toBe(primary.port);
    await using pool = createPool({ connectionString: urlOf('standby', [nobody, primary.port]) });
    const error = await errorOf(pool.query('select 1'));
    expect(error).toMatchObject({ code: 'connect_failed', retryable: true });
    expect(error.message).toContain(`127.0.0.1:${primary.port} is not standby`);
  });

  test('those that send nobody an answer are passed over, and only once', async () => {
    await using hole = await startFaultProxy({ port: primary.port });
    hole.drop();
    const applicationName = 'passed-over';
    await using pool = createPool({
      connectionString: urlOf('any', [hole.port, replica.port]),
      connectTimeoutMs: 400,
      size: 3,
      maxOverflow: 0,
      maxOpening: 1,
      lanes: { only: { guaranteed: 0, priority: 1, acquireTimeoutMs: 20_000 } },
      applicationName,
    });
    expect((await pool.query(portQuery)).rows).toEqual([{ port: replica.port }]);
    const leases = await Promise.all(Array.from({ length: 3 }, () => pool.acquire('only')));
    expect(hole.accepted).toBe(1);
    await Promise.all(leases.map((lease) => lease.release()));
    await expectAgreement(pool, replica.url, applicationName);
  });

  test('of a statement that takes long only its own server is asked whether it works on it', async () => {
    await using proxy = await startFaultProxy({ port: primary.port });
    const applicationName = 'asked-at-home';
    await using pool = createPool({
      connectionString: urlOf('any', [proxy.port, replica.port]),
      size: 2,
      maxOverflow: 0,
      stallProbeMs: 150,
      lanes: { only: { guaranteed: 0, priority: 1 } },
      applicationName,
    });
    const slow = await pool.acquire('only');
    expect((await slow.query(portQuery)).rows).toEqual([{ port: primary.port }]);
    // From now on new connections go to the other one first, which knows nothing of what runs here.
    proxy.refuse();
    const other = await pool.acquire('only');
    expect((await other.query(portQuery)).rows).toEqual([{ port: replica.port }]);
    await proxy.heal();
    expect((await slow.query("select pg_sleep(1), 'done' as state")).rows[0]).toMatchObject({
      state: 'done',
    });
    await Promise.all([slow.release(), other.release()]);
  });

  test('one that becomes read-only loses all its connections, not only the one that noticed', async () => {
    const applicationName = 'demoted';
    const events: PoolEvent[] = [];
    await using pool = createPool({
      connectionString: urlOf('read-write'),
      size: 3,
      maxOverflow: 0,
      lanes: { only: { guaranteed: 0, priority: 1 } },
      applicationName,
      onEvent: (event) => events.push(event),
    });
    const held = await pool.acquire('only');
    const others = await Promise.all([pool.acquire('only'), pool.acquire('only')]);
    await Promise.all(others.map((lease) => lease.release()));
    await using admin = createPool({ connectionString: primary.url, size: 1, maxOverflow: 0 });
    await admin.query('alter system set default_transaction_read_only = on');
    await admin.query('select pg_reload_conf()');
    try {
      await eventually(async () => {
        expect(await errorOf(pool.query('insert into writes values (0)'))).toMatchObject({ code: '25006' });
      });
      await held.release();
      expect(events).toContainEqual({ type: 'retire', reason: 'the server has become read-only' });
      await expectAgreement(pool, primary.url, applicationName);
      expect(pool.status()).toMatchObject({ checked_in: 0, checked_out: 0 });
      const error = await errorOf(pool.query('insert into writes values (0)'));
      expect(error).toMatchObject({ code: 'connect_failed', retryable: true });
    } finally {
      await admin.session('interactive', async (lease) => {
        await lease.query('set default_transaction_read_only = off');
        await lease.query('alter system reset default_transaction_read_only');
        await lease.query('select pg_reload_conf()');
      });
    }
    await eventually(() => pool.query('insert into writes values (1)'));
    await expectAgreement(pool, primary.url, applicationName);
  });

  test('the promoted replica is used by itself after the primary has died', async () => {
    const applicationName = 'moves-over';
    const hosts = new Set<number>();
    await using pool = createPool({
      connectionString: urlOf('read-write'),
      size: 3,
      maxOverflow: 0,
      applicationName,
      onEvent: (event) => event.type === 'connect' && hosts.add(event.port),
    });
    await pool.query('insert into writes values (2)');
    let stopped = false;
    let written = 0;
    const errors: unknown[] = [];
    const writer = (async () => {
      while (!stopped) {
        try {
          await pool.query('insert into writes values (3)');
          written += 1;
        } catch (error) {
          errors.push(error);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await eventually(() => expect(written).toBeGreaterThan(5));
    await primary.kill();
    await eventually(() => expect(errors.length).toBeGreaterThan(5));
    await replica.promote();
    const before = written;
    await eventually(() => expect(written).toBeGreaterThan(before + 5));
    stopped = true;
    await writer;
    expect(errors.filter((error) => !isTransient(error))).toEqual([]);
    expect([...hosts]).toEqual([primary.port, replica.port]);
    await expectAgreement(pool, replica.url, applicationName);
  });
});
