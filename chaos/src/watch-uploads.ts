import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@sluice/pool';
import { ingestUploadJob } from '@sluice/queue';
import type { Services } from './services.ts';

export interface UploadWatch extends AsyncDisposable {
  /** Accepted and not final, as last seen. */
  unfinished(): number;
  /** Resolves when a worker is in a transaction, or after a while without. */
  inTheMiddle(): Promise<void>;
}

const everyMs = 250;
const lookMs = 10;
const longestLookMs = 400;

/** Looks at the tables while the run goes on; that Postgres is away now and then is part of it. */
export function watchUploads(pool: Pool): UploadWatch {
  const db = pool.lane('control');
  let unfinished = 0;
  const closing = new AbortController();
  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const { rows } = await db
        .query<{ count: number }>(
          "select count(*)::int as count from sluice.uploads where state in ('queued', 'processing')",
        )
        .catch(() => ({ rows: [] }));
      unfinished = rows[0]?.count ?? unfinished;
      await sleep(everyMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }
  const running = run();

  async function inTheMiddle(): Promise<void> {
    const deadline = Date.now() + longestLookMs;
    while (Date.now() < deadline) {
      const { rowCount } = await db
        .query(
          `select from pg_stat_activity where application_name like 'sluice-worker%' and xact_start is not null
             and backend_type = 'client backend' and (state <> 'active' or query !~* '^\\s*select')`,
        )
        .catch(() => ({ rowCount: 0 }));
      if (rowCount > 0) return;
      await sleep(lookMs);
    }
  }
  return {
    unfinished: () => unfinished,
    inTheMiddle,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await running;
    },
  };
}

/** Waits until nothing is under way anywhere. Resolves false when `timeoutMs` has passed before. */
export async function comeToRest(
  { pool, producer }: Services,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await isAtRest(pool, producer).catch(() => false)) return true;
    if (Date.now() > deadline) return false;
    await sleep(everyMs, undefined, { signal });
  }
}

async function isAtRest(pool: Pool, producer: Services['producer']): Promise<boolean> {
  const { rows } = await pool.lane('control').query<{ open: boolean }>(
    `select exists (select from sluice.uploads where state in ('receiving', 'queued', 'processing'))
       or exists (select from sluice.staged_chunks) as open`,
  );
  if (rows[0]?.open !== false) return false;
  const { waiting, active, delayed } = await producer.counts(ingestUploadJob);
  return waiting + active + delayed === 0;
}
