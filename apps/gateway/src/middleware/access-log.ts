import { inTrace, type Logger } from '@sluice/telemetry';
import type { RequestHandler } from 'express';
import type { Caller } from '../access/caller.ts';
import { isProbe } from './is-probe.ts';

function levelOf(status: number): 'error' | 'warn' | 'info' {
  // What is away or overloaded says so itself; these are many at a time, and nothing is broken here.
  if (status === 503) return 'warn';
  return status >= 500 ? 'error' : 'info';
}

/** One line a request, when its answer is out. Probes log at debug. */
export function accessLog(log: Logger): RequestHandler {
  // What a line has is named here, so nothing in it has to be looked for by name, which took a tenth of the time of a cached query. Secrets
  // that are known are cut out all the same.
  const lines = log.child({}, { redact: { paths: [] } });
  return function logAccess(request, response, next) {
    const start = performance.now();
    const path = request.path;
    const tell = inTrace(() => {
      const level = isProbe(path) ? 'debug' : levelOf(response.statusCode);
      lines[level](
        {
          request_id: request.id,
          method: request.method,
          path,
          // Of the key that was sent, where one was asked for.
          key_id: (request.caller as Caller | undefined)?.keyId,
          status: response.statusCode,
          duration_ms: Math.round(performance.now() - start),
          ...(!response.writableFinished && { cut_off: true }),
        },
        'request',
      );
    });
    response.once('close', tell);
    next();
  };
}
