import type { Connection } from './connection.ts';
import type { Host } from './hosts.ts';
import type { Opener } from './open-connection.ts';

export interface StallProbeOptions {
  opener: Pick<Opener, 'open'>;
  answerWithinMs: number;
}

const sql = `select extract(epoch from pg_postmaster_start_time())::text as started,
  array(select pid from pg_stat_activity where pid = any($1::int[]) and (state is null or state not like 'idle%')) as busy`;

/**
 * For statements that have not moved a byte for long. Asked over a connection beside the pool, which may have none to spare,
 * their server says whether it still works on them; those of which it knows nothing will never be answered here, and are
 * given up. Nothing is concluded from a server that is not the same one, as happens behind a load balancer, nor behind a
 * pooler, where the number of the server's process is not known.
 */
export function createStallProbe({
  opener,
  answerWithinMs,
}: StallProbeOptions): (stalled: Connection) => void {
  const suspects = new Map<Connection, number>();
  let asking = false;

  async function ask(host: Host): Promise<void> {
    const together = [...suspects].filter(([each]) => each.openedAt === host);
    for (const [suspect] of together) suspects.delete(suspect);
    const beside = await opener.open(() => {}, host);
    try {
      const signal = AbortSignal.timeout(answerWithinMs);
      const pids = together.map(([suspect]) => suspect.pid);
      const { rows } = await beside.query<{ started: string; busy: number[] }>(sql, [pids], { signal });
      const { started, busy } = rows[0] as { started: string; busy: number[] };
      for (const [suspect, traffic] of together) {
        const lost = suspect.serverStarted === started && !busy.includes(suspect.pid as number);
        if (lost && suspect.traffic === traffic) suspect.giveUp();
      }
    } finally {
      await beside.close();
    }
  }

  async function askAll(): Promise<void> {
    asking = true;
    try {
      for (let next = suspects.keys().next(); !next.done; next = suspects.keys().next()) {
        // Where nobody answers now, the next round asks again.
        await ask(next.value.openedAt).catch(() => {});
      }
    } finally {
      asking = false;
    }
  }

  return (stalled) => {
    if (stalled.serverStarted === undefined) return;
    suspects.set(stalled, stalled.traffic);
    if (!asking) void askAll();
  };
}
