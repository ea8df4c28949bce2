import type { Queryable } from '@sluice/pool';

/** True for one caller among all replicas until `ms` have passed. */
export async function takeLease(db: Queryable, name: string, ms: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into sluice.leases (name, held_until)
     values ($1::text, now() + $2::double precision * interval '1 millisecond')
     on conflict (name) do update set held_until = excluded.held_until where leases.held_until <= now()`,
    [name, ms],
  );
  return rowCount === 1;
}

/** By its holder, before its time is over. */
export async function releaseLease(db: Queryable, name: string): Promise<void> {
  await db.query('delete from sluice.leases where name = $1::text', [name]);
}
