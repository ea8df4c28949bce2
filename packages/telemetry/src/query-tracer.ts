import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/** What a pool tells of its statements and borrowers, see its `PoolTracer`. */
interface QueryStart {
  text: string;
  lane: string | undefined;
}
interface QueryEnd {
  rowCount?: number;
  error?: unknown;
}
type EndQuery = (end: QueryEnd) => void;

interface AcquireEnd {
  waitedMs: number;
  error?: unknown;
}

export interface QueryTracer {
  query(start: QueryStart): EndQuery | undefined;
  acquire(start: { lane: string }): ((end: AcquireEnd) => void) | undefined;
}

const longestText = 2_000;
// Shorter ones are no reason for anything.
const leastWaitMs = 1;

function sqlStateOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: string };
  return typeof code === 'string' ? code : (name ?? 'unknown');
}

/**
 * A span for each statement that belongs to a request or a job. https://opentelemetry.io/docs/specs/semconv/database/postgresql/. Its text has
 * no values in it: those are parameters, and they stay with the pool.
 */
export function createQueryTracer(): QueryTracer {
  const tracer = trace.getTracer('sluice');
  return {
    query({ text, lane }) {
      if (!trace.getActiveSpan()?.isRecording()) return undefined;
      const operation = /^\s*(\w+)/.exec(text)?.[1]?.toLowerCase() ?? 'statement';
      const span = tracer.startSpan(`postgres ${operation}`, {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'postgresql',
          'db.operation.name': operation,
          'db.query.text': text.slice(0, longestText),
          ...(lane && { 'sluice.lane': lane }),
        },
      });
      return ({ rowCount, error }) => {
        if (rowCount !== undefined) span.setAttribute('db.response.returned_rows', rowCount);
        if (error !== undefined) {
          span.setAttribute('error.type', sqlStateOf(error));
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
      };
    },
    acquire({ lane }) {
      if (!trace.getActiveSpan()?.isRecording()) return undefined;
      const startTime = Date.now();
      return ({ waitedMs, error }) => {
        if (waitedMs < leastWaitMs && error === undefined) return;
        const attributes = {
          'sluice.lane': lane,
          ...(error !== undefined && { 'error.type': sqlStateOf(error) }),
        };
        tracer.startSpan('wait for a connection', { startTime, attributes }).end();
      };
    },
  };
}
