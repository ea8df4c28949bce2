import { isIPv4, isIPv6 } from 'node:net';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/** Counts wrong keys by where they come from, in this process. */
export interface FailedAttempts {
  /** In how many ms there may be another; 0: now. */
  blockedMs(address: string | undefined): Promise<number>;
  note(address: string | undefined): Promise<void>;
}

/** An IPv4 address, or the 64 bits of an IPv6 address that one customer of a provider has at least. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped && isIPv4(mapped)) return mapped;
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address;
  const [head = '', tail = ''] = plain.toLowerCase().split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const zeros = plain.includes('::') ? Array(Math.max(0, 8 - before.length - after.length)).fill('0') : [];
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** `perMinute` 0: they are not counted. */
export function createFailedAttempts(perMinute: number): FailedAttempts {
  const limiter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 60 });
  const idOf = (address: string | undefined) => networkOf(address ?? 'unknown');
  return {
    async blockedMs(address) {
      const counted = perMinute === 0 ? null : await limiter.get(idOf(address));
      return counted && counted.consumedPoints >= perMinute ? Math.max(1, counted.msBeforeNext) : 0;
    },
    async note(address) {
      if (perMinute > 0) await limiter.penalty(idOf(address));
    },
  };
}
