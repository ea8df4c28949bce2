import { retryAfterMs } from './retry-after.ts';

type ReadableHeaders = Pick<Headers, 'get'> | undefined;

const msPerUnit = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };
const durationPart = /(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/gy;

/**
 * How long a provider wants no request, in milliseconds: what it asks for by Retry-After, else until the limits are reset that it
 * says are used up (`x-ratelimit-remaining-requests: 0` and `x-ratelimit-reset-requests`, the same for tokens). undefined where it
 * says nothing of the kind.
 */
export function providerWaitMs(headers: ReadableHeaders): number | undefined {
  const waits = ['requests', 'tokens'].flatMap((limited) => resetMs(headers, limited) ?? []);
  return retryAfterMs(headers) ?? (waits.length > 0 ? Math.max(...waits) : undefined);
}

function resetMs(headers: ReadableHeaders, limited: string): number | undefined {
  const remaining = headers?.get(`x-ratelimit-remaining-${limited}`)?.trim() ?? '';
  // Some servers count below zero.
  if (!/^(-\d+|0+)$/.test(remaining)) return undefined;
  return durationMs(headers?.get(`x-ratelimit-reset-${limited}`)?.trim() ?? '');
}

/** Milliseconds of a duration as Go writes it (`6m0s`, `1.5s`, `20ms`), or of a bare number of seconds. */
export function durationMs(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  let ms = 0;
  let end = 0;
  for (const [part, amount, unit] of text.matchAll(durationPart)) {
    ms += Number(amount) * msPerUnit[unit as keyof typeof msPerUnit];
    end += part.length;
  }
  return end > 0 && end === text.length ? ms : undefined;
}
