import { createQueryTracer, type QueryTracer } from './query-tracer.ts';
import { createSlowQueryLog, type SlowQueryOptions } from './slow-queries.ts';

export interface DatabaseTracerOptions extends Omit<SlowQueryOptions, 'thresholdMs'> {
  /** 0: slow statements are not logged. */
  slowMs: number;
  /** Whether there are spans to be made. */
  traced: boolean;
}

/** What a pool is to be watched by; empty, and then it costs nothing, where nobody wants to know. */
export function createDatabaseTracer({
  slowMs,
  traced,
  ...options
}: DatabaseTracerOptions): Partial<QueryTracer> {
  const slow = slowMs > 0 ? createSlowQueryLog({ ...options, thresholdMs: slowMs }) : undefined;
  if (!traced) return slow ? { query: slow } : {};
  const spans = createQueryTracer();
  return {
    acquire: spans.acquire,
    query(statement) {
      const ends = [spans.query(statement), slow?.(statement)];
      return (end) => {
        for (const each of ends) each?.(end);
      };
    },
  };
}
