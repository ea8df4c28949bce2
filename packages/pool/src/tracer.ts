/**
 * Told of what takes time, as it happens: for tracing and metrics. Each function is called when something begins, and
 * what it returns when that has ended. What they throw is reported as a warning of the process and goes no further.
 */
export interface PoolTracer {
  /** A borrower asks for a connection. */
  acquire?(start: { lane: string }): ((end: AcquireEnd) => void) | undefined;
  /** A connection is opened. */
  connect?(start: { host: string; port: number }): ((end: ConnectEnd) => void) | undefined;
  /** A statement is sent. Parameters are withheld: they are users' data. */
  query?(start: QueryStart): ((end: QueryEnd) => void) | undefined;
}

export interface AcquireEnd {
  waitedMs: number;
  connection?: number;
  error?: unknown;
}
export interface ConnectEnd {
  connection?: number;
  error?: unknown;
}
export interface QueryStart {
  connection: number;
  /** Of its borrower; undefined for what the pool does by itself. */
  lane: string | undefined;
  text: string;
  prepared: boolean;
}
export interface QueryEnd {
  rowCount?: number;
  error?: unknown;
}

/** Calls somebody else's function; what it throws must not break the pool. */
export function callHook<A, R>(hook: ((argument: A) => R) | undefined, argument: A): R | undefined {
  try {
    const result = hook?.(argument);
    // An async function fits as well, and nobody else looks at what becomes of it.
    if (result instanceof Promise) result.catch(warn);
    return result;
  } catch (error) {
    warn(error);
    return undefined;
  }
}

function warn(error: unknown): void {
  process.emitWarning(`a hook of the pool threw: ${(error as Error)?.stack ?? error}`, 'PoolHookWarning');
}
