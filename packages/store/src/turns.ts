import type { Queryable } from '@sluice/pool';

export type Priority = 'high' | 'normal' | 'low';

export interface WaitingUpload {
  id: string;
  /** Its place among all that wait, 1 to 2 097 151, smaller first. */
  turn: number;
}

// What BullMQ takes for a priority; beyond it uploads are taken in the order of arrival.
const lastTurn = 2_097_151;

/**
 * Gives uploads that begin to wait their turns, by start-time fair queueing (Goyal, Vin, Cheng, "Start-time Fair Queueing", SIGCOMM
 * 1996): each collection and priority is a flow whose uploads follow each other in steps of 1 (high), 4 (normal) or 16 (low), and a flow
 * that was idle begins at the smallest turn that waits now. So a batch of one collection does not hold up another's single file, each
 * gets its share while both have uploads waiting, and nobody starves. One that is between two attempts does not count.
 */
export async function assignTurns(db: Queryable, ids: readonly string[]): Promise<WaitingUpload[]> {
  const { rows } = await db.query<WaitingUpload & Record<string, unknown>>(
    `with mine as (
       select id, sequence, collection_id, priority from sluice.uploads where id = any($1::uuid[]) and state = 'queued'
     ), flow as (
       select collection_id, priority, greatest(
         coalesce((
           select max(w.turn) from sluice.uploads w where w.state = 'queued' and w.attempts = 0
             and w.collection_id = mine.collection_id and w.priority = mine.priority), 0),
         coalesce((select min(turn) from sluice.uploads where state = 'queued' and attempts = 0), 0)
       )::bigint as last
       from mine group by collection_id, priority
     ), placed as (
       select mine.id, flow.last + case priority when 'high' then 1 when 'normal' then 4 else 16 end
         * row_number() over (partition by collection_id, priority order by mine.sequence) as turn
       from mine join flow using (collection_id, priority)
     )
     update sluice.uploads u set turn = least(placed.turn, $2::bigint) from placed where u.id = placed.id
     returning u.id, u.turn`,
    [ids, lastTurn],
  );
  return rows.sort((a, b) => a.turn - b.turn);
}
