import { createRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createFleet, type FakePool } from './support/fleet.ts';

const STEPS = 1_500;
const STEP_MS = 50;
const LIMIT = 45;
const USABLE = 40;
const TTL_MS = 5_000;
const faults = ['down', 'hangs', 'lost', 'late'] as const;

/** The most that it may hold from now on without asking anybody. */
const permitOf = ({ share, held }: FakePool) => Math.max(share, held);
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/**
 * Members join, leave, crash, stall, are cut off, and give connections back slowly, on a store that is sometimes away
 * and sometimes loses its state. What the pools really hold is compared with the limit at every step.
 *
 * Excused, until all fits again, is who was suspended or cut off alone for a ttl (the others have rightly taken its
 * share), and who was so while the store lost its state.
 */
function simulate(seed: number) {
  const random = createRandom(seed);
  const fleet = createFleet(
    { limit: LIMIT, joinTimeoutMs: 12_000 },
    { fresh: random.chance(0.5), latency: () => random.between(0, 1) * random.between(0, 200) },
  );
  /** Suspended or cut off alone. */
  const out = new Set<FakePool>();
  /** The same until they have been heard of again, with the time when they were brought back. */
  const unheard = new Map<FakePool, number>();
  const excused = new Set<FakePool>();
  const leaving = new Set<FakePool>();
  let away: number | undefined;
  let peak = 0;

  const known = (pool: FakePool) =>
    fleet.server.ledger?.members.some(({ id, granted }) => id.startsWith(`${pool.name}/`) && granted > 0);
  const members = () => fleet.pools.filter((pool) => !leaving.has(pool));
  const inReach = () => members().filter((pool) => !out.has(pool));

  function putOut(pool: FakePool): void {
    if (random.chance(0.5)) pool.process.pause();
    else pool.line.line = random.pick(faults)!;
    out.add(pool);
    unheard.set(pool, Number.POSITIVE_INFINITY);
    if (!known(pool)) excused.add(pool);
  }

  function bringBack(pool: FakePool): void {
    out.delete(pool);
    unheard.set(pool, fleet.clock.now());
    pool.line.line = 'up';
    pool.process.resume();
  }

  async function leave(pool: FakePool): Promise<void> {
    leaving.add(pool);
    pool.share = 0;
    pool.busy = 0;
    pool.held = random.chance(0.3) ? Math.min(pool.held, 3) : 0;
    await pool.budget.leave();
    pool.kill();
  }

  function flush(): void {
    fleet.server.flush();
    for (const pool of unheard.keys()) excused.add(pool);
  }

  /** A pool under load: opens up to its share, and its borrowers come and go. */
  function work(pool: FakePool): void {
    if (pool.process.paused) return;
    if (random.chance(0.6)) pool.held = Math.max(pool.held, random.between(0, pool.share));
    if (random.chance(0.2)) pool.busy = random.between(0, pool.held);
    if (random.chance(0.05)) pool.busy = pool.held;
    pool.busy = Math.min(pool.busy, pool.held);
    if (pool.held > pool.share) pool.held = Math.max(pool.share, pool.busy);
    else if (random.chance(0.2)) pool.held = random.between(pool.busy, pool.held);
  }

  function disturb(): void {
    if (members().length < 9 && random.chance(0.03)) {
      const floor = random.between(1, 8);
      fleet.add({ floor, weight: random.between(1, 3), cap: random.between(floor, 30) });
    }
    const someone = random.pick(inReach());
    const fate = random.between(1, 1_000);
    if (someone && fate <= 6) someone.kill();
    else if (someone && fate <= 12) void leave(someone);
    else if (someone && fate <= 20) putOut(someone);
    const gone = random.pick([...out]);
    if (gone && random.chance(0.015)) bringBack(gone);
    if (random.chance(0.002)) flush();
    if (away !== undefined && fleet.clock.now() >= away) {
      fleet.server.line = 'up';
      away = undefined;
    } else if (away === undefined && random.chance(0.003)) {
      fleet.server.line = random.pick(faults)!;
      away = fleet.clock.now() + random.between(100, 15_000);
    }
  }

  function check(step: number): void {
    for (const pool of fleet.pools.filter(({ failure }) => failure !== undefined)) pool.kill();
    for (const set of [out, unheard, excused]) {
      for (const pool of set.keys()) if (!fleet.pools.includes(pool)) set.delete(pool);
    }
    for (const [pool, backAt] of unheard) {
      if (pool.line.answeredAt >= backAt) unheard.delete(pool);
      if (fleet.clock.now() - pool.line.answeredAt >= TTL_MS) excused.add(pool);
    }
    const granted = sum((fleet.server.ledger?.members ?? []).map((member) => member.granted));
    const fits = Math.max(granted, sum(fleet.pools.map(permitOf))) <= USABLE;
    peak = Math.max(peak, sum(fleet.pools.map(({ held }) => held)));
    for (const pool of excused) if (fits && !unheard.has(pool)) excused.delete(pool);
    const counted = fleet.pools.filter((pool) => !excused.has(pool));
    const shown = fleet.pools.map((pool) => `${pool.name}: ${pool.share}/${pool.held}`).join(', ');
    expect(sum(counted.map(permitOf)), `seed ${seed}, step ${step}: ${shown}`).toBeLessThanOrEqual(USABLE);
  }

  async function step(n: number): Promise<void> {
    await fleet.clock.advance(STEP_MS);
    check(n);
    for (const pool of members()) work(pool);
    check(n);
  }

  async function run(): Promise<{ peak: number }> {
    for (let n = 0; n < STEPS; n += 1) {
      disturb();
      await step(n);
    }
    return { peak };
  }

  async function calmDown(): Promise<void> {
    fleet.server.line = 'up';
    for (const pool of [...out]) bringBack(pool);
    for (let n = 0; n < 500; n += 1) await step(STEPS + n);
  }
  return { fleet, run, calmDown, excused };
}

const seeds = [...Array.from({ length: 12 }, (_, n) => n + 1), Date.now() % 1e6, (Date.now() * 7) % 1e6];

test.each(seeds)('nobody ever holds more than the limit allows, and calm returns (seed %i)', async (seed) => {
  const simulation = simulate(seed);
  const { peak } = await simulation.run();
  expect(peak).toBeGreaterThan(USABLE / 2);
  await simulation.calmDown();
  const { fleet } = simulation;
  const statuses = fleet.pools.map(({ budget }) => budget.status());
  const shown = JSON.stringify(statuses);
  expect(simulation.excused.size, `seed ${seed}: ${shown}`).toBe(0);
  const admitted = statuses.filter(({ state }) => state === 'joined');
  expect(admitted.filter(({ degraded }) => degraded)).toEqual([]);
  // Who comes back late may find its floor given away; then all are below theirs.
  if (sum(admitted.map(({ floor }) => floor)) <= USABLE) {
    expect(admitted.filter(({ share, floor }) => share < floor)).toEqual([]);
  }
  const most = sum(admitted.map(({ cap }) => cap));
  expect(sum(admitted.map(({ share }) => share)), `seed ${seed}: ${shown}`).toBe(Math.min(USABLE, most));
});
