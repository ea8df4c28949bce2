import type { Queryable } from '@sluice/pool';

export interface PlaceInLine {
  /** Waiting uploads whose turn comes before; counts no further than `countedUpTo`. */
  ahead: number;
  /** Uploads that are being worked on now, counted alike. */
  underWay: number;
}

/** Beyond it the exact figure tells nobody more. */
export const countedUpTo = 10_000;

/** Where an upload stands among those that wait. */
export async function placeInLine(db: Queryable, turn: number): Promise<PlaceInLine> {
  const { rows } = await db.query<PlaceInLine & Record<string, unknown>>(
    `select
       (select count(*) from (
          select from sluice.uploads where state = 'queued' and attempts = 0 and turn < $1::int limit $2::int) earlier) as ahead,
       (select count(*) from (
          select from sluice.uploads where state = 'processing' limit $2::int) busy) as "underWay"`,
    [turn, countedUpTo],
  );
  return rows[0] as PlaceInLine;
}
