import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createTestRedis, describeWithServices, startRedis } from '../src/index.ts';

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

describeWithServices('redis', 'a test Redis', () => {
  test('does not see the keys of another one', async () => {
    await using left = await createTestRedis();
    await using right = await createTestRedis();
    await withRedis(left.url, (redis) => redis.set('key', 'left'));
    expect(await withRedis(right.url, (redis) => redis.get('key'))).toBeNull();
  });

  test('is emptied on disposal', async () => {
    const database = await createTestRedis();
    await withRedis(database.url, (redis) => redis.set('key', 'value'));
    await database[Symbol.asyncDispose]();
    expect(await withRedis(database.url, (redis) => redis.dbsize())).toBe(0);
  });
});

describeWithServices('processes', 'a test Redis on a server with few databases', () => {
  test('never takes a database that holds data, and says when none is left', async () => {
    await using server = await startRedis({ settings: { databases: 3 } });
    await withRedis(`${server.url}/1`, (redis) => redis.set('somebody', 'else'));
    await using only = await createTestRedis(server.url);
    expect(only.database).toBe(2);
    await expect(createTestRedis(server.url)).rejects.toMatchObject({ code: 'REDIS_DATABASES_EXHAUSTED' });
    expect(await withRedis(`${server.url}/1`, (redis) => redis.get('somebody'))).toBe('else');
  });
});
