import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@sluice/testing';
import { type LaunchOptions, launch, type Supervised } from './processes/supervised.ts';

export interface FleetOptions extends LaunchOptions {
  random: Random;
  workers: number;
  /** Mean life of a worker after its start, in milliseconds; longer where starting takes longer. */
  lifeMs: number;
  /** Kills in all; then workers live on. */
  kills: number;
  /** Resolves at a moment when some worker is writing, or when that takes too long. */
  inTheMiddle: () => Promise<void>;
}

export interface Fleet extends AsyncDisposable {
  readonly kills: number;
  /** Of the kills, those that hit a worker before it said that it works. */
  readonly killsDuringStart: number;
  /** Processes that ended by themselves, and how. */
  readonly deaths: readonly string[];
  /** Resolves when no more kills will come: all are done, or `endKills` was called. */
  readonly killing: Promise<void>;
  endKills(): void;
  killGateway(): Promise<void>;
}

// Shares of the ends that workers come to.
const duringStart = 0.12;
const longLife = 0.06;
const longLifeFactor = 5;
const inTheMiddleShare = 0.6;
const startMs = 1_500;
const respawnMs = 200;

/** One gateway and some workers, each of which is killed at a random point of its life and comes again. */
export function startFleet(options: FleetOptions): Fleet {
  const { random, lifeMs } = options;
  const ending = new AbortController();
  const closing = new AbortController();
  const deaths: string[] = [];
  let kills = 0;
  let killsDuringStart = 0;
  let gateway: Supervised | undefined;

  const pause = (ms: number) => sleep(ms, true, { signal: ending.signal }).catch(() => false);

  /** Resolves at the moment at which the worker is to die; false when killing has ended before. */
  async function untilDue(worker: Supervised): Promise<boolean> {
    if (random.chance(duringStart)) return pause(random.between(0, startMs));
    const launched = performance.now();
    await Promise.race([worker.started, worker.exited]);
    // On a busy machine a start takes long, and so does work: who lives for less than that gets nothing done.
    const mean = Math.max(lifeMs, (performance.now() - launched) / 2);
    if (!(await pause(random.exponential(mean) * (random.chance(longLife) ? longLifeFactor : 1))))
      return false;
    if (random.chance(inTheMiddleShare)) await options.inTheMiddle();
    return true;
  }

  async function liveAndDie(worker: Supervised): Promise<void> {
    let working = false;
    void worker.started.then(() => {
      working = true;
    });
    const due = await untilDue(worker);
    if (!due || !worker.running || ending.signal.aborted) return;
    kills += 1;
    if (!working) killsDuringStart += 1;
    if (kills === options.kills) ending.abort();
    await worker.kill();
  }

  async function keepWorker(): Promise<void> {
    while (!closing.signal.aborted) {
      const worker = launch('worker', options);
      const killAtEnd = () => void worker.kill();
      closing.signal.addEventListener('abort', killAtEnd);
      await liveAndDie(worker);
      const end = await worker.exited;
      closing.signal.removeEventListener('abort', killAtEnd);
      if (!note('worker', end)) await sleep(respawnMs);
    }
  }

  async function keepGateway(): Promise<void> {
    while (!closing.signal.aborted) {
      gateway = launch('gateway', options);
      const killAtEnd = () => void gateway?.kill();
      closing.signal.addEventListener('abort', killAtEnd);
      note('gateway', await gateway.exited);
      closing.signal.removeEventListener('abort', killAtEnd);
      await sleep(respawnMs);
    }
  }

  /** Whether it was killed, as it should be. */
  function note(role: string, { code, signal }: Awaited<Supervised['exited']>): boolean {
    if (signal === 'SIGKILL') return true;
    deaths.push(`${role} ended by itself: ${signal ?? `exit code ${code}`}`);
    return false;
  }

  const living = Promise.all([keepGateway(), ...Array.from({ length: options.workers }, keepWorker)]);
  living.catch(() => ending.abort());
  const killing = new Promise<void>((resolve) => {
    ending.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return {
    get kills() {
      return kills;
    },
    get killsDuringStart() {
      return killsDuringStart;
    },
    deaths,
    killing,
    endKills: () => ending.abort(),
    killGateway: async () => void (await gateway?.kill()),
    async [Symbol.asyncDispose]() {
      ending.abort();
      closing.abort();
      await living;
    },
  };
}
