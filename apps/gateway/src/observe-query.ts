import type { AnswerBody } from '@sluice/contract';
import type { SearchOutcome, SearchReport } from '@sluice/telemetry';
import { ClientGone } from './request-signal.ts';
import { toProblem } from './to-problem.ts';

function outcomeOf(error: unknown): SearchOutcome {
  if (error instanceof ClientGone) return 'cancelled';
  const { code, status } = toProblem(error);
  if (code === 'overloaded') return 'shed';
  if (code === 'deadline_exceeded') return code;
  return status < 500 ? 'refused' : 'failed';
}

/** Reports how the query ended, whichever way. */
export async function observeQuery(
  mode: string,
  report: (report: SearchReport) => void,
  query: () => Promise<AnswerBody>,
): Promise<AnswerBody> {
  const start = performance.now();
  const about = (outcome: SearchOutcome) => ({ outcome, mode, durationMs: performance.now() - start });
  try {
    const body = await query();
    const { cached, degraded } = body.answer;
    report({ ...about('ok'), cached, degraded: degraded.map(({ code }) => code) });
    return body;
  } catch (error) {
    report({ ...about(outcomeOf(error)), cached: 'none', degraded: [] });
    throw error;
  }
}
