import { Redis } from 'ioredis';

export interface RedisScriptsOptions {
  url: string;
  onError(error: Error): void;
}

/** Runs scripts on the queue's Redis for others, who must not lose what they keep there to eviction. */
export interface RedisScripts {
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
  close(): void;
}

const COMMAND_TIMEOUT_MS = 1_000;

/** Fails soon rather than queue: who keeps a heartbeat has to know when it is late. */
export function openRedisScripts({ url, onError }: RedisScriptsOptions): RedisScripts {
  const client = new Redis(url, {
    connectionName: 'sluice-scripts',
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * times, 500),
  });
  client.on('error', onError);
  return {
    eval: (script, numberOfKeys, ...args) => client.eval(script, numberOfKeys, ...args),
    close: () => client.disconnect(),
  };
}
