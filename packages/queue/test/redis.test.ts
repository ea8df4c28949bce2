import { createTestRedis, describeWithServices } from '@sluice/testing';
import { queueContract } from './queue-contract.ts';

describeWithServices('redis', 'with a Redis server', () => {
  queueContract('the queue on Redis', async () => {
    const redis = await createTestRedis();
    return {
      backend: { kind: 'redis', url: redis.url },
      [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
    };
  });
});
