// One process of a fleet: embeds as much as the shared limits let it, until it is killed. Each text says whose it is, and when Redis
// was asked for its turn, in milliseconds since the epoch: Redis decided on it between that and its arrival.
import { Redis } from 'ioredis';
import {
  createEmbedder,
  createFleetRateGovernor,
  createOpenAiProvider,
  type EmbeddingProvider,
  type RateGovernorOptions,
  type RedisScripts,
  rateLimitName,
} from '../../../src/index.ts';

const { id, callers, redisUrl, baseUrl, limits } = JSON.parse(process.argv[2] as string) as {
  id: string;
  callers: number;
  redisUrl: string;
  baseUrl: string;
  limits: RateGovernorOptions;
};
const endpoint = { apiKey: 'k', baseUrl, model: 'm' };
const redis = new Redis(redisUrl, { commandTimeout: 1_000, maxRetriesPerRequest: 1 });
let askedAt = 0;
const scripts: RedisScripts = {
  eval(...call) {
    askedAt = Date.now();
    return redis.eval(...call);
  },
};
const openAi = createOpenAiProvider({ ...endpoint, dimensions: 8, timeoutMs: 5_000 });
const stamping: EmbeddingProvider = {
  ...openAi,
  embed: (_texts, options) => openAi.embed([`${id} ${askedAt}`], options),
};
const embedder = createEmbedder(stamping, {
  governor: createFleetRateGovernor({ ...limits, redis: scripts, name: rateLimitName(endpoint) }),
  maxTexts: 1,
  maxWaitMs: 0,
  concurrency: 8,
  retries: 0,
});

async function call(): Promise<void> {
  for (;;) await embedder.embed([id], { purpose: 'document', tokens: [10] });
}
await Promise.all(Array.from({ length: callers }, call));
