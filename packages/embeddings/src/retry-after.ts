/**
 * How long a server asks to wait, in milliseconds, from `retry-after-ms` (milliseconds) or `retry-after` (seconds or a date,
 * RFC 9110 section 10.2.3); undefined where it says nothing that can be understood.
 */
export function retryAfterMs(
  headers: Pick<Headers, 'get'> | undefined,
  now = Date.now(),
): number | undefined {
  const exact = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (exact >= 0) return exact;
  const value = headers?.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
