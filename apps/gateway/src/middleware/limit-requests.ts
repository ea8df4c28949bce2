import type { RequestHandler } from 'express';
import { HttpProblem } from '../http-problem.ts';
import type { Meter } from '../limits/meter.ts';
import { secondsUntilReset, tellQuota } from '../limits/rate-limit-headers.ts';

const periodSeconds = 60;

/** So many requests a minute for each key; `defaultLimit` for those that have no limit of their own, 0: none. */
export function limitRequests(meter: Meter, defaultLimit: number): RequestHandler {
  return async function countRequest(request, response, next) {
    const { caller } = request;
    const limit = caller?.limits.requestsPerMinute ?? defaultLimit;
    if (!caller || limit === 0) return next();
    const reading = await meter.add(caller.keyId ?? 'local', 1);
    tellQuota(response, { name: 'requests', limit, periodSeconds }, reading);
    if (reading.used <= limit) return next();
    const retryAfterSeconds = secondsUntilReset(reading);
    const detail = `this API key may send ${limit} requests a minute; send it again after ${retryAfterSeconds} s`;
    throw new HttpProblem('rate_limited', detail, { limit, retryAfterSeconds });
  };
}
