import { readFileSync } from 'node:fs';
import type { RateLimits } from '../sliding-window.ts';

/** What is needed of a Redis client; one of ioredis fits as it is. */
export interface RedisScripts {
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
}

interface SharedLineOptions {
  prefix: string;
  name: string;
  /** Of this process. */
  id: string;
  limits: RateLimits;
  windowMs: number;
}

/** The place of one process in the line of all. Rejects when Redis does not answer within a second. */
interface SharedLine {
  /** @param unreported what was sent without asking, within the last window */
  take(tokens: number, unreported: RateLimits): Promise<{ waitMs: number; members: number }>;
  leave(): Promise<unknown>;
  pause(ms: number): Promise<unknown>;
}

const answerWithinMs = 1_000;
const takeScript = readFileSync(new URL('./take-turn.lua', import.meta.url), 'utf8');
const pauseScript = readFileSync(new URL('./pause-fleet.lua', import.meta.url), 'utf8');
const leaveScript = "return redis.call('HDEL', KEYS[1], ARGV[1])";

export function createSharedLine(redis: RedisScripts, options: SharedLineOptions): SharedLine {
  const { id, limits, windowMs } = options;
  // One hash tag, for a cluster wants all keys of a script on one node.
  const key = (part: string) => `${options.prefix}{${options.name}}:${part}`;
  const keys = ['sent', 'line', 'members', 'pause'].map(key);

  return {
    async take(tokens, unreported) {
      const values = [
        tokens,
        limits.requests,
        limits.tokens,
        windowMs,
        unreported.requests,
        unreported.tokens,
      ];
      return readAnswer(
        await inTime(redis.eval(takeScript, keys.length, ...keys, id, ...values.map(numeral))),
      );
    },
    leave: () => inTime(redis.eval(leaveScript, 1, key('line'), id)),
    pause: (ms) => inTime(redis.eval(pauseScript, 1, key('pause'), numeral(Math.ceil(ms)))),
  };
}

/** Lua has no word for infinity that every build reads. */
function numeral(value: number): string {
  return String(Math.min(value, Number.MAX_SAFE_INTEGER));
}

function readAnswer(reply: unknown): { waitMs: number; members: number } {
  const [waitMs, members] = Array.isArray(reply) ? reply : [];
  if (typeof waitMs === 'number' && typeof members === 'number') return { waitMs, members };
  throw new TypeError('Redis answered a turn of the rate limit with something else');
}

function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Redis did not answer within ${answerWithinMs} ms`)),
    answerWithinMs,
  );
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
