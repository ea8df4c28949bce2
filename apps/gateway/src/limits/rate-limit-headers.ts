import type { Response } from 'express';
import type { Reading } from './meter.ts';

export interface Quota {
  name: string;
  limit: number;
  periodSeconds: number;
}

export const secondsUntilReset = ({ resetMs }: Reading) => Math.max(1, Math.ceil(resetMs / 1_000));

/** As draft-ietf-httpapi-ratelimit-headers-10 has them; a response may tell of several quotas. */
export function tellQuota(response: Response, { name, limit, periodSeconds }: Quota, reading: Reading): void {
  const remaining = Math.max(0, limit - reading.used);
  response.append('ratelimit-policy', `"${name}";q=${limit};w=${periodSeconds}`);
  response.append('ratelimit', `"${name}";r=${remaining};t=${secondsUntilReset(reading)}`);
}
