import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '@sluice/pool';
import { TestingError } from './errors.ts';
import type { ReplicaOptions, RunningReplica, RunningService } from './service-host.ts';
import { POSTGRES_DEFAULTS, type Settings } from './service-settings.ts';

const POLL_MS = 10;

/**
 * What `pg_basebackup` needs besides the folder. The slot makes the primary keep what a stopped replica has not
 * got yet; it stays until the primary is disposed of.
 */
export function basebackupArgs(primaryUrl: string): string[] {
  const slot = `replica_${randomBytes(6).toString('hex')}`;
  const copying = [
    '--wal-method=stream',
    '--checkpoint=fast',
    '--no-sync',
    '--create-slot',
    `--slot=${slot}`,
  ];
  return [...copying, '--write-recovery-conf', `--dbname=${primaryUrl}`];
}

/** A replica refuses to start with less of these than its primary has. */
export async function settingsOfReplica(
  primary: RunningService,
  { settings }: ReplicaOptions,
): Promise<Settings> {
  const rows = await ask<{ name: string; setting: string }>(
    primary,
    `select name, setting from pg_settings where name in ('max_connections', 'max_worker_processes',
       'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction')`,
  );
  const required = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  return { ...POSTGRES_DEFAULTS, ...required, ...settings };
}

export function asReplica(server: RunningService): RunningReplica {
  return Object.assign(server, {
    async pauseReplay() {
      await ask(server, 'select pg_wal_replay_pause()');
      // That was only a request: what is being applied at this moment may still become visible.
      while (!(await isReplayPaused(server))) await sleep(POLL_MS);
    },
    async resumeReplay() {
      await ask(server, 'select pg_wal_replay_resume()');
    },
    async promote() {
      const [row] = await ask<{ promoted: boolean }>(server, 'select pg_promote() as promoted');
      if (!row?.promoted)
        throw new TestingError(
          'SERVICE_DID_NOT_START',
          'the replica has not become a primary within a minute',
        );
    },
  });
}

async function isReplayPaused(server: RunningService): Promise<boolean> {
  const [row] = await ask<{ state: string }>(server, 'select pg_get_wal_replay_pause_state() as state');
  return row?.state === 'paused';
}

async function ask<R extends Record<string, unknown>>({ url }: RunningService, sql: string): Promise<R[]> {
  await using pool = createPool({ connectionString: url, size: 1, maxOverflow: 0 });
  const { rows } = await pool.query<R>(sql);
  return rows;
}
