import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { TestingError } from './errors.ts';
import { testServices } from './provided-services.ts';

export interface TestRedis extends AsyncDisposable {
  /** Of a logical database that nobody else uses, empty at first. Publish and subscribe are not separated. */
  readonly url: string;
  readonly database: number;
}

// A lease that a killed test leaves behind ends by itself.
const LEASE_SECONDS = 3600;

/** A logical database of the test's own, on the run's Redis unless another is given; emptied on disposal. */
export async function createTestRedis(redisUrl: string = urlOfRun()): Promise<TestRedis> {
  const redis = new Redis(redisUrl);
  const token = randomUUID();
  const database = await leaseDatabase(redis, token).catch((error: unknown) => {
    redis.disconnect();
    throw error;
  });
  const url = new URL(redisUrl);
  url.pathname = `/${database}`;
  return {
    url: url.href,
    database,
    async [Symbol.asyncDispose]() {
      await redis.select(database);
      await redis.flushdb();
      await redis.select(0);
      await redis.del(leaseKey(database));
      await redis.quit();
    },
  };
}

function urlOfRun(): string {
  const { redisUrl, why } = testServices();
  if (redisUrl) return redisUrl;
  throw new TestingError('SERVICES_UNAVAILABLE', `no Redis: ${why}`);
}

// Only databases that are empty: the server may be one that somebody else keeps data on.
async function leaseDatabase(redis: Redis, token: string): Promise<number> {
  const [, count] = (await redis.config('GET', 'databases')) as string[];
  for (let database = 1; database < Number(count); database += 1) {
    if ((await redis.set(leaseKey(database), token, 'EX', LEASE_SECONDS, 'NX')) === null) continue;
    await redis.select(database);
    const keys = await redis.dbsize();
    await redis.select(0);
    if (keys === 0) return database;
    await redis.del(leaseKey(database));
  }
  throw new TestingError('REDIS_DATABASES_EXHAUSTED', `all ${count} logical databases of Redis are in use`);
}

function leaseKey(database: number): string {
  return `sluice:testing:database:${database}`;
}
