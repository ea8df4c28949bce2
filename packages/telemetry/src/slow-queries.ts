import type { Logger } from './logger.ts';

interface Statement {
  text: string;
  lane: string | undefined;
}
interface End {
  rowCount?: number;
  error?: unknown;
}

export interface SlowQueryOptions {
  log: Pick<Logger, 'warn' | 'info' | 'debug'>;
  /** Statements that take longer are logged, in ms. */
  thresholdMs: number;
  /** Lines of the plan that the server would make for any values. Runs nothing of the statement. */
  explain(text: string): Promise<readonly string[]>;
}

const explainAgainMs = 60_000;
const rememberedTexts = 200;
const longestText = 4_000;
const lengthy = /^\s*(create|alter|drop|reindex|vacuum|analyze|copy|truncate)\b/i;
const planned = /^\s*(select|with|insert|update|delete|merge)\b/i;

/** Watches statements: call it when one begins, and what it returns when that has ended. Values of parameters never come here. */
export function createSlowQueryLog({ log, thresholdMs, explain }: SlowQueryOptions) {
  const explainedAt = new Map<string, number>();

  function mayExplain(text: string): boolean {
    const now = performance.now();
    if (now - (explainedAt.get(text) ?? Number.NEGATIVE_INFINITY) < explainAgainMs) return false;
    explainedAt.delete(text);
    explainedAt.set(text, now);
    if (explainedAt.size > rememberedTexts) explainedAt.delete(explainedAt.keys().next().value as string);
    return true;
  }

  async function tell(
    { text, lane }: Statement,
    { rowCount, error }: End,
    durationMs: number,
  ): Promise<void> {
    const line = {
      lane,
      duration_ms: Math.round(durationMs),
      rows: rowCount,
      statement: text.slice(0, longestText),
      ...(error !== undefined && { code: (error as { code?: unknown }).code }),
    };
    // Building an index takes as long as it takes. LISTEN and COMMIT are not worth a line of their own.
    if (!planned.test(text)) return log[lengthy.test(text) ? 'info' : 'debug'](line, 'long statement');
    const plan = mayExplain(text)
      ? await explain(text).catch((failure: Error) => {
          log.debug({ err: failure }, 'no plan of a slow statement');
          return undefined;
        })
      : undefined;
    log.warn({ ...line, ...(plan && { plan }) }, 'slow statement');
  }

  return (statement: Statement): ((end: End) => void) | undefined => {
    if (/^\s*explain\b/i.test(statement.text)) return undefined;
    const start = performance.now();
    return (end) => {
      const durationMs = performance.now() - start;
      if (durationMs >= thresholdMs) void tell(statement, end, durationMs);
    };
  };
}
