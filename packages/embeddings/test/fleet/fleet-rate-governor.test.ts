import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { rateGovernorContract } from '../rate-governor-contract.ts';
import { expectWithinLimits, observeTurns } from '../support/observed-turns.ts';
import { openFleet, waitsLongerThan } from './support/fleet.ts';

vi.setConfig({ testTimeout: 30_000 });
const patient = { timeout: 20_000, interval: 5 };

describeWithServices('redis', 'with a Redis server', () => {
  rateGovernorContract('a governor of a fleet, alone', async () => {
    const fleet = await openFleet();
    return {
      create: (options) => fleet.member(options).governor,
      [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
    };
  });

  test('no window of a whole fleet holds more requests or tokens than allowed', async () => {
    await using fleet = await openFleet();
    const limits = { requestsPerMinute: 5, tokensPerMinute: 100, windowMs: 60 };
    const costs = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 });
    let run = 0;
    const property = fc.asyncProperty(fc.array(costs, { minLength: 2, maxLength: 4 }), async (members) => {
      run += 1;
      const turns = await Promise.all(
        members.map((each) => observeTurns(fleet.member({ ...limits, name: `run ${run}` }).governor, each)),
      );
      expectWithinLimits(turns.flat(), limits);
    });
    await fc.assert(property, { numRuns: 12 });
  }, 60_000);

  test('limits of another name are not touched', async () => {
    await using fleet = await openFleet();
    const limits = { requestsPerMinute: 1 };
    await fleet.member({ ...limits, name: 'a' }).governor.acquire(1);
    expect(await waitsLongerThan(1_000, fleet.member({ ...limits, name: 'b' }).governor)).toBe(false);
    expect(await waitsLongerThan(300, fleet.member({ ...limits, name: 'a' }).governor)).toBe(true);
  });

  test('a process with one request is not starved by one with hundreds', async () => {
    await using fleet = await openFleet();
    const options = { name: 'shared', requestsPerMinute: 1, windowMs: 300 };
    const [busy, quiet] = [fleet.member(options).governor, fleet.member(options).governor];
    const stop = new AbortController();
    let turns = 0;
    const crowd = Array.from({ length: 300 }, async () => {
      await busy.acquire(1, stop.signal);
      turns += 1;
    });
    const settled = Promise.allSettled(crowd);
    await expect.poll(() => turns, patient).toBe(2);
    await quiet.acquire(1);
    // The one that was in line before, and one whose turn may have been seen first.
    expect(turns).toBeLessThanOrEqual(4);
    stop.abort();
    await settled;
  });

  test('a large request is not starved by the small ones of another process', async () => {
    await using fleet = await openFleet();
    const options = { name: 'shared', tokensPerMinute: 100, windowMs: 500 };
    const [small, large] = [fleet.member(options).governor, fleet.member(options).governor];
    const stop = new AbortController();
    let turns = 0;
    const crowd = Array.from({ length: 300 }, async () => {
      await small.acquire(30, stop.signal);
      turns += 1;
    });
    const settled = Promise.allSettled(crowd);
    await expect.poll(() => turns, patient).toBe(3);
    await large.acquire(100);
    expect(turns).toBeLessThanOrEqual(6);
    stop.abort();
    await settled;
  });

  test('a pause that one process was asked for holds all back', async () => {
    await using fleet = await openFleet();
    const [one, other] = [
      fleet.member({ name: 'shared' }).governor,
      fleet.member({ name: 'shared' }).governor,
    ];
    await Promise.all([one.acquire(1), other.acquire(1)]);
    const start = performance.now();
    one.pause(2_000);
    await expect.poll(() => fleet.observer.pttl('sluice:rate:{shared}:pause'), patient).toBeGreaterThan(0);
    await other.acquire(1);
    expect(performance.now() - start).toBeGreaterThanOrEqual(1_999);
  });

  test('who waits for a process that died gets its place', async () => {
    await using fleet = await openFleet();
    const options = { name: 'shared', requestsPerMinute: 1, windowMs: 200 };
    const [doomed, heir] = [fleet.member(options), fleet.member(options)];
    await doomed.governor.acquire(1);
    const waiting = doomed.governor.acquire(1);
    await expect.poll(() => fleet.observer.hlen('sluice:rate:{shared}:line'), patient).toBe(1);
    doomed.redis.disconnect();
    const start = performance.now();
    await heir.governor.acquire(1);
    expect(performance.now() - start).toBeLessThan(10_000);
    await waiting;
  });

  test('what it keeps in Redis is small and goes away by itself', async () => {
    await using fleet = await openFleet();
    const { governor } = fleet.member({ name: 'shared', requestsPerMinute: 400, windowMs: 800 });
    await observeTurns(
      governor,
      Array.from({ length: 600 }, () => 1),
    );
    expect(await fleet.observer.llen('sluice:rate:{shared}:sent')).toBeLessThanOrEqual(101);
    await sleep(2_100);
    expect(await fleet.observer.keys('*')).toEqual([]);
  });

  test('processes with other limits, as in a rolling change, keep to their own', async () => {
    await using fleet = await openFleet();
    await fleet.member({ name: 'shared', requestsPerMinute: 2 }).governor.acquire(1);
    const strict = fleet.member({ name: 'shared', requestsPerMinute: 1 }).governor;
    const lax = fleet.member({ name: 'shared', requestsPerMinute: 3 }).governor;
    expect(await waitsLongerThan(300, strict)).toBe(true);
    expect(await waitsLongerThan(1_000, lax)).toBe(false);
  });
});
