import type { Queryable } from '@sluice/pool';

export interface ProcessIdentity {
  id: string;
  role: 'gateway' | 'worker';
  host: string;
  pid: number;
  version: string;
  startedAt: Date;
}

export interface RunningProcess<R> extends ProcessIdentity {
  /** What it has said of itself; its shape is its sender's. */
  report: R;
  seenAt: Date;
  /** Milliseconds since then, by the clock of the database. */
  silentMs: number;
}

/** In place of what the process has said before. Who has been silent for a day is forgotten. */
export async function reportProcess(
  db: Queryable,
  { id, role, host, pid, version, startedAt }: ProcessIdentity,
  report: object,
): Promise<void> {
  await db.query(
    `with gone as (delete from sluice.processes where seen_at < now() - interval '1 day')
     insert into sluice.processes (id, role, host, pid, version, started_at, report)
     values ($1::uuid, $2::text, $3::text, $4::int, $5::text, $6::timestamptz, $7::jsonb)
     on conflict (id) do update set report = excluded.report, seen_at = now()`,
    [id, role, host, pid, version, startedAt.toISOString(), JSON.stringify(report)],
  );
}

/** Of a process that stops. */
export async function forgetProcess(db: Queryable, id: string): Promise<void> {
  await db.query('delete from sluice.processes where id = $1::uuid', [id]);
}

/** All of the last day, the oldest first. */
export async function listProcesses<R>(db: Queryable): Promise<RunningProcess<R>[]> {
  const { rows } = await db.query<RunningProcess<R> & Record<string, unknown>>(
    `select id, role, host, pid, version, report, started_at as "startedAt", seen_at as "seenAt",
       extract(epoch from now() - seen_at)::float8 * 1000 as "silentMs"
     from sluice.processes order by started_at, id`,
  );
  return rows;
}
