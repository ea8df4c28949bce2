import type { Redis } from 'ioredis';

/**
 * An entry, how long it still lives in ms, and whether the caller has claimed to make it. KEYS: entry, claim. ARGV: token
 * (empty: claims nothing), ms of the claim, ms that an entry has to live so that it is not claimed.
 */
const LOOK_UP = `
local value = redis.call('get', KEYS[1])
local left = value and redis.call('pttl', KEYS[1]) or 0
if ARGV[1] == '' or left > tonumber(ARGV[3]) then return {value, left, 0} end
local claimed = redis.call('set', KEYS[2], ARGV[1], 'nx', 'px', ARGV[2])
return {value, left, claimed and 1 or 0}`;

/** KEYS: claim. ARGV: token. A claim that has ended may be somebody else's by now. */
const RELEASE = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end`;

/** KEYS: claim, entry. ARGV: token, value, ms to live. */
const FILL = `
redis.call('set', KEYS[2], ARGV[2], 'px', ARGV[3])${RELEASE}`;

export const scripts = {
  lookUp: { lua: LOOK_UP, numberOfKeys: 2 },
  fill: { lua: FILL, numberOfKeys: 2 },
  release: { lua: RELEASE, numberOfKeys: 1 },
};

/** The client with `scripts` as commands. */
export type ScriptedRedis = Redis & {
  lookUpBuffer(
    entry: string,
    claim: string,
    token: string,
    claimMs: number,
    renewMs: number,
  ): Promise<[value: Buffer | null, ttlMs: number, claimed: 0 | 1]>;
  fill(claim: string, entry: string, token: string, value: Buffer, ttlMs: number): Promise<null>;
  release(claim: string, token: string): Promise<null>;
};
