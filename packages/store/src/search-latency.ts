import type { Queryable } from '@sluice/pool';

/** What a process has seen of its searches a moment ago, in place of what it has reported before. */
export async function reportSearchLatency(db: Queryable, process: string, p95Ms: number): Promise<void> {
  await db.query(
    `with gone as (delete from sluice.search_latency where reported_at < now() - interval '1 hour')
     insert into sluice.search_latency (process, p95_ms) values ($1::uuid, $2::real)
     on conflict (process) do update set p95_ms = excluded.p95_ms, reported_at = now()`,
    [process, p95Ms],
  );
}

/** The worst p95 that any process has reported within `ms`, in ms. Undefined when nobody has searched. */
export async function readSearchLatency(db: Queryable, ms: number): Promise<number | undefined> {
  const { rows } = await db.query<{ p95: number | null }>(
    `select max(p95_ms)::float8 as p95 from sluice.search_latency
     where reported_at > now() - $1::float8 * interval '1 millisecond'`,
    [ms],
  );
  return rows[0]?.p95 ?? undefined;
}
