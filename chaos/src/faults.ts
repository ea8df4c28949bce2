import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@sluice/testing';
import { Redis } from 'ioredis';
import type { Fleet } from './fleet.ts';
import type { Services } from './services.ts';

export const faultNames = [
  'gateway kill',
  'redis flush',
  'postgres restart',
  'redis restart',
  'postgres kill',
] as const;
export type FaultName = (typeof faultNames)[number];

/** Short enough for attempts of a job to outlast it. */
const awayMs = 400;

async function inflict(name: FaultName, fleet: Fleet, { postgres, redis }: Services): Promise<void> {
  if (name === 'gateway kill') return fleet.killGateway();
  if (name === 'postgres restart') return postgres.restart();
  if (name === 'redis flush') return flush(redis?.url);
  // Redis keeps nothing on disk: it comes back empty.
  const server = name === 'postgres kill' ? postgres : redis;
  await server?.kill();
  await sleep(awayMs);
  await server?.start();
}

async function flush(url: string | undefined): Promise<void> {
  if (url === undefined) return;
  const client = new Redis(url);
  try {
    await client.flushall();
  } finally {
    client.disconnect();
  }
}

/** Each fault once, then again and again, each at a random number of kills; one for about every `killsPerFault`. */
export function planFaults(
  kills: number,
  redis: boolean,
  random: Random,
): { afterKills: number; name: FaultName }[] {
  const names = faultNames.filter((name) => redis || !name.startsWith('redis'));
  const count = Math.max(names.length, Math.round(kills / killsPerFault));
  const moments = Array.from({ length: count }, () => Math.floor(kills * (0.05 + 0.85 * random.next())));
  return moments
    .sort((a, b) => a - b)
    .map((afterKills, i) => ({ afterKills, name: names[i % names.length] as FaultName }));
}
const killsPerFault = 40;

export interface Faults {
  readonly inflicted: ReadonlyMap<FaultName, number>;
  /** Resolves when the plan is through, or killing has ended and what is left was inflicted at once. */
  readonly finished: Promise<void>;
  /** Waits for a server that is on its way down or up: it must not come up behind whoever disposes of it. */
  [Symbol.asyncDispose](): Promise<void>;
}

export function startFaults(
  fleet: Fleet,
  services: Services,
  { kills, signal }: { kills: number; signal: AbortSignal },
  random: Random,
): Faults {
  const inflicted = new Map<FaultName, number>();
  let ended = false;
  void fleet.killing.then(() => {
    ended = true;
  });
  async function run(): Promise<void> {
    for (const { afterKills, name } of planFaults(kills, services.redis !== undefined, random)) {
      while (!ended && fleet.kills < afterKills) await sleep(50);
      if (signal.aborted) return;
      // A run that was cut short still has each of them.
      if (ended && inflicted.has(name)) continue;
      await inflict(name, fleet, services);
      inflicted.set(name, (inflicted.get(name) ?? 0) + 1);
    }
  }
  const finished = run();
  finished.catch(() => fleet.endKills());
  return { inflicted, finished, [Symbol.asyncDispose]: () => finished.catch(() => {}) };
}
