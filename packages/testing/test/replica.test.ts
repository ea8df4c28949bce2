import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, sqlState } from '@sluice/pool';
import { expect, test, vi } from 'vitest';
import { describeWithServices, type RunningService, startPostgres, startReplica } from '../src/index.ts';

async function ask({ url }: RunningService, sql: string): Promise<unknown> {
  await using pool = createPool({ connectionString: url, size: 1, maxOverflow: 0 });
  const { rows } = await pool.query(sql);
  return Object.values(rows[0] ?? {})[0];
}

const countRows = (server: RunningService) => ask(server, 'select count(*)::int from written');

async function stateOfFailure(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => 'no failure',
    (error: unknown) => sqlState(error),
  );
}

/** Until the replica has what is on the primary now. */
async function expectRows(replica: RunningService, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await countRows(replica)).toBe(count), { timeout: 10_000 });
}

describeWithServices('processes', 'a replica', () => {
  test('shows what its primary held before and writes now, and refuses writes', async () => {
    await using primary = await startPostgres();
    await ask(primary, 'create table written as select generate_series(1, 1000) as id');
    await using replica = await startReplica(primary);
    expect(replica.port).not.toBe(primary.port);
    expect(await ask(replica, 'select pg_is_in_recovery()')).toBe(true);
    expect(await countRows(replica)).toBe(1000);
    await ask(primary, 'insert into written values (1001)');
    await expectRows(replica, 1001);
    expect(await stateOfFailure(ask(replica, 'insert into written values (1)'))).toBe('25006');
  });

  test('lags while its replay is paused, and catches up', async () => {
    await using primary = await startPostgres();
    await ask(primary, 'create table written (id int)');
    await using replica = await startReplica(primary);
    await replica.pauseReplay();
    await ask(primary, 'insert into written select generate_series(1, 10)');
    await sleep(300);
    expect(await countRows(replica)).toBe(0);
    await replica.resumeReplay();
    await expectRows(replica, 10);
  });

  test('applies what it has received when it is promoted while its replay is paused', async () => {
    await using primary = await startPostgres();
    await ask(primary, 'create table written (id int)');
    await using replica = await startReplica(primary);
    await replica.pauseReplay();
    await ask(primary, 'insert into written select generate_series(1, 10)');
    const written = await ask(primary, 'select pg_current_wal_flush_lsn()::text');
    await vi.waitFor(async () => {
      expect(await ask(replica, `select pg_last_wal_receive_lsn() >= '${written}'::pg_lsn`)).toBe(true);
    });
    await primary.kill();
    await replica.promote();
    expect(await countRows(replica)).toBe(10);
  });

  test('becomes a primary when it is promoted after the death of its own', async () => {
    await using primary = await startPostgres();
    await ask(primary, 'create table written as select generate_series(1, 3) as id');
    await using replica = await startReplica(primary);
    await primary.kill();
    expect(await countRows(replica)).toBe(3);
    await replica.promote();
    expect(await ask(replica, 'select pg_is_in_recovery()')).toBe(false);
    await ask(replica, 'insert into written values (4)');
    await replica.restart();
    expect(await countRows(replica)).toBe(4);
  });

  test('catches up after its own death and a restart of the primary meanwhile', async () => {
    await using primary = await startPostgres();
    await ask(primary, 'create table written (id int)');
    await using replica = await startReplica(primary);
    const { pid } = replica;
    await replica.kill();
    await ask(primary, 'insert into written select generate_series(1, 10)');
    await ask(primary, 'select pg_switch_wal()');
    await primary.restart();
    await replica.start();
    expect(replica.pid).not.toBe(pid);
    await expectRows(replica, 10);
    await replica.stop();
    await expect(ask(replica, 'select 1')).rejects.toMatchObject({ code: 'connect_failed' });
  });

  test('follows a primary that needs more than the defaults, as one of several and with settings of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-conf-'));
    const configFile = join(folder, 'postgresql.conf');
    await writeFile(configFile, 'max_connections = 450\n');
    await using primary = await startPostgres({ configFile });
    await using first = await startReplica(primary);
    await using second = await startReplica(primary, { settings: { work_mem: '9MB' } });
    expect(await ask(first, 'show max_connections')).toBe('450');
    expect(await ask(second, 'show work_mem')).toBe('9MB');
    expect(await ask(primary, 'select count(*)::int from pg_stat_replication')).toBe(2);
    await rm(folder, { recursive: true });
  });

  test('of a server that cannot have one fails with the reason', async () => {
    await using primary = await startPostgres({ settings: { wal_level: 'minimal', max_wal_senders: 0 } });
    await expect(startReplica(primary)).rejects.toMatchObject({
      code: 'PROGRAM_FAILED',
      message: expect.stringContaining('max_wal_senders'),
    });
  });
});
