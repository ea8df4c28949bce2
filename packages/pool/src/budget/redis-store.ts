import { readFileSync } from 'node:fs';
import type { ExchangeAnswer, FleetStore } from './store.ts';

/** What is needed of a Redis client; one of ioredis fits as it is. */
export interface RedisScripts {
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
}

export interface RedisStoreOptions {
  /**
   * Better a client that fails soon than one that queues: with ioredis `commandTimeout: 1000`,
   * `maxRetriesPerRequest: 1`, and a `retryStrategy` that stays below a heartbeat.
   */
  redis: RedisScripts;
  /** Start of the key. Default `sluice:fleet:`. */
  prefix?: string;
  /** One name for each Postgres server, since `max_connections` is the server's. Default `default`. */
  name?: string;
}

const exchangeScript = readFileSync(new URL('./exchange.lua', import.meta.url), 'utf8');
const leaveScript = readFileSync(new URL('./leave.lua', import.meta.url), 'utf8');

/**
 * Grants in one key of Redis, `<prefix>{<name>}`. It has no expiry: while it is there, even empty, a newcomer need not
 * wait for members that may have been forgotten. Without it (the very first start, a flush, an eviction: use
 * `noeviction`), and after Redis restarted or failed over, newcomers wait for half a ttl, see ledger.ts.
 */
export function createRedisStore({
  redis,
  prefix = 'sluice:fleet:',
  name = 'default',
}: RedisStoreOptions): FleetStore {
  const key = `${prefix}{${name}}`;
  return {
    driver: 'redis',
    async exchange(request) {
      return readAnswer(await redis.eval(exchangeScript, 1, key, JSON.stringify(request)));
    },
    async leave(id) {
      await redis.eval(leaveScript, 1, key, id);
    },
  };
}

function readAnswer(reply: unknown): ExchangeAnswer {
  if (typeof reply !== 'string') throw new TypeError(`Redis answered the exchange with ${typeof reply}`);
  return JSON.parse(reply) as ExchangeAnswer;
}
