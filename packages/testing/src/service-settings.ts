export type Settings = Readonly<Record<string, string | number>>;

/**
 * Fast, yet a killed server loses nothing that it has confirmed: fsync and full_page_writes only matter when the
 * machine itself goes down, synchronous_commit stays on.
 */
export const POSTGRES_DEFAULTS: Settings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: 400,
  shared_buffers: '256MB',
  max_locks_per_transaction: 256,
  maintenance_work_mem: '256MB',
  max_wal_size: '4GB',
};

/** Nothing on disk, many logical databases: every test gets one of its own. */
export const REDIS_DEFAULTS: Settings = {
  save: '',
  appendonly: 'no',
  databases: 4096,
  'maxmemory-policy': 'noeviction',
};

export const PGBOUNCER_DEFAULTS: Settings = {
  auth_type: 'trust',
  pool_mode: 'transaction',
  max_prepared_statements: 200,
  max_client_conn: 1000,
  default_pool_size: 20,
};

export function settingArgs(flag: string, settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [flag, `${name}=${value}`]);
}

/** A pgbouncer.ini that sends every database to `upstream`. */
export function iniFile(upstream: URL, settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[databases]\n* = host=${upstream.hostname} port=${upstream.port || 5432}\n\n[pgbouncer]\n${lines.join('\n')}\n`;
}
