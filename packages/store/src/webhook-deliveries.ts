import type { Queryable } from '@sluice/pool';

/**
 * pending -> delivered | failed. A delivery is made by the transaction that ends its upload (a trigger of the table) and is
 * pending until it has arrived or was given up. An attempt holds it by moving `due_at` ahead: when its process dies, the delivery is
 * due again.
 */
export interface WebhookDelivery {
  id: string;
  uploadId: string;
  url: string;
  /** Name and port in its URL: who receives it. */
  host: string;
  /** JSON, the same at every attempt. */
  body: string;
  /** This one included. */
  attempts: number;
}

export interface DeliveryClaim {
  limit: number;
  /** Most for one host. */
  perHost: number;
  /** Hosts that have as many under way as they may. */
  busyHosts: readonly string[];
  /** How long nobody else takes it, in ms. Longer than an attempt. */
  holdMs: number;
}

// So many of the oldest are looked at; one host with more that are due than that delays the others.
const window = 1_000;

// URLs of one receiver may differ by what stands behind it, an id of the upload for instance.
const hostOf = `lower(coalesce(substring(url from '^[^:]+://([^/?#]+)'), url))`;

/** Takes deliveries that are due, each for one attempt by one caller. */
export async function claimDeliveries(
  db: Queryable,
  { limit, perHost, busyHosts, holdMs }: DeliveryClaim,
): Promise<WebhookDelivery[]> {
  const { rows } = await db.query<WebhookDelivery & Record<string, unknown>>(
    `with oldest as (
       select id, ${hostOf} as host, due_at from sluice.webhook_deliveries
       where state = 'pending' and due_at <= now() and ${hostOf} <> all($3::text[]) order by due_at limit $5::int
     ), placed as (
       select id, row_number() over (partition by host order by due_at) as place from oldest
     ), taken as (
       select d.id from sluice.webhook_deliveries d join placed using (id)
       where place <= $2::int and d.state = 'pending' and d.due_at <= now()
       order by d.due_at limit $1::int for update of d skip locked
     )
     update sluice.webhook_deliveries set attempts = attempts + 1,
       due_at = now() + $4::double precision * interval '1 millisecond'
     where id in (select id from taken)
     returning id, upload_id as "uploadId", url, ${hostOf} as host, payload::text as body, attempts`,
    [limit, perHost, busyHosts, holdMs, window],
  );
  return rows;
}

/** Records how an attempt ended, unless another one has begun since. `retryAfterMs`: when it is due again; undefined: never. */
export async function recordDelivery(
  db: Queryable,
  { id, attempts }: Pick<WebhookDelivery, 'id' | 'attempts'>,
  outcome: { delivered: true } | { delivered: false; error: string; retryAfterMs: number | undefined },
): Promise<void> {
  const state = outcome.delivered ? 'delivered' : outcome.retryAfterMs === undefined ? 'failed' : 'pending';
  await db.query(
    `update sluice.webhook_deliveries set state = $3::text, last_error = $4::text,
       due_at = now() + coalesce($5::double precision, 0) * interval '1 millisecond',
       ended_at = case when $3::text <> 'pending' then now() end
     where id = $1::uuid and attempts = $2::int and state = 'pending'`,
    [
      id,
      attempts,
      state,
      outcome.delivered ? null : outcome.error,
      outcome.delivered ? null : (outcome.retryAfterMs ?? null),
    ],
  );
}

/** Removes deliveries that were made so long ago, also those that nobody has sent. Returns how many. */
export async function deleteOldDeliveries(db: Queryable, olderThanMs: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from sluice.webhook_deliveries where created_at < now() - $1::double precision * interval '1 millisecond'`,
    [olderThanMs],
  );
  return rowCount;
}
