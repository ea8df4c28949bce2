import { randomUUID } from 'node:crypto';
import { createTestRedis, type FaultProxy, startFaultProxy } from '@sluice/testing';
import { Redis } from 'ioredis';
import {
  createFleetRateGovernor,
  type FleetRateChange,
  type RateGovernor,
  type RateGovernorOptions,
} from '../../../src/index.ts';

export interface FleetMember {
  governor: RateGovernor;
  redis: Redis;
  changes: FleetRateChange[];
}

export interface Fleet extends AsyncDisposable {
  url: string;
  /** Sees what is in Redis. */
  observer: Redis;
  /** Between members and Redis; the observer goes round it. */
  proxy: FaultProxy;
  /** Each has a connection of its own, as processes have. Those with the same name share the limits. */
  member(options: RateGovernorOptions & { name?: string }): FleetMember;
}

export async function openFleet(): Promise<Fleet> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await createTestRedis());
  const { hostname, port } = new URL(server.url);
  const proxy = stack.use(await startFaultProxy({ host: hostname, port: Number(port) }));
  const observer = new Redis(server.url);
  stack.defer(() => observer.disconnect());

  return {
    url: server.url,
    observer,
    proxy,
    member({ name = randomUUID(), ...options }) {
      const redis = new Redis(proxy.through(server.url), {
        maxRetriesPerRequest: 1,
        retryStrategy: () => 50,
      });
      redis.on('error', () => {});
      stack.defer(() => redis.disconnect());
      const changes: FleetRateChange[] = [];
      const onChange = (change: FleetRateChange) => void changes.push(change);
      return { governor: createFleetRateGovernor({ ...options, redis, name, onChange }), redis, changes };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Whether the next request would have to wait for longer than `ms`. */
export async function waitsLongerThan(ms: number, governor: RateGovernor): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  return governor.acquire(1, signal).then(
    () => false,
    () => true,
  );
}
