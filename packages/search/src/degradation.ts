/**
 * - `effort_lowered`: fewer vectors were looked at than usual, since many searches wait.
 * - `stale_answer`: the database does not answer; this was its answer some time ago.
 * - `rerank_skipped`: the hits are in the order of the search.
 */
export type DegradationCode = 'effort_lowered' | 'stale_answer' | 'rerank_skipped';

/** What was given up so that there is an answer, or one in time. */
export interface Degradation {
  code: DegradationCode;
  /** For people: why, and how much. */
  detail: string;
}

/** Those of several searches, each once. */
export function allDegradations(each: readonly (readonly Degradation[])[]): Degradation[] {
  const known = each.flat().map((one) => [`${one.code} ${one.detail}`, one] as const);
  return [...new Map(known).values()];
}
