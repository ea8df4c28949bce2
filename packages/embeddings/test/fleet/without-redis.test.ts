import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { openFleet, waitsLongerThan } from './support/fleet.ts';

describeWithServices('redis', 'with a Redis server that goes away', () => {
  test('a process that never reached Redis keeps to the limits by itself', async () => {
    await using fleet = await openFleet();
    fleet.proxy.refuse();
    const { governor, changes } = fleet.member({ requestsPerMinute: 2 });
    await governor.acquire(1);
    await governor.acquire(1);
    expect(await waitsLongerThan(300, governor)).toBe(true);
    expect(changes).toMatchObject([{ shared: false, members: 1, error: expect.any(Error) }]);
  });

  test('a Redis that does not answer costs a second once, not one for each request', async () => {
    await using fleet = await openFleet();
    const { governor } = fleet.member({});
    await governor.acquire(1);
    fleet.proxy.drop();
    const start = performance.now();
    for (let count = 0; count < 100; count += 1) await governor.acquire(1);
    expect(performance.now() - start).toBeLessThan(2_500);
    await fleet.proxy.heal();
  });

  test('without Redis each process keeps to its part, and what it sent counts when Redis is back', async () => {
    await using fleet = await openFleet();
    const options = { name: 'shared', requestsPerMinute: 6 };
    const members = [fleet.member(options), fleet.member(options)] as const;
    for (const { governor } of members) await governor.acquire(1);
    // Now the first one knows of the second.
    await members[0].governor.acquire(1);
    fleet.proxy.refuse();
    fleet.proxy.reset();
    await members[0].governor.acquire(1);
    expect(members[0].changes).toMatchObject([{ shared: false, members: 2 }]);
    expect(await waitsLongerThan(300, members[0].governor)).toBe(true);

    await fleet.proxy.heal();
    await sleep(5_100);
    // 3 of the first, 1 of the second: two are left.
    await members[0].governor.acquire(1);
    expect(members[0].changes.at(-1)).toMatchObject({ shared: true });
    await members[1].governor.acquire(1);
    expect(await waitsLongerThan(300, members[1].governor)).toBe(true);
  }, 20_000);

  test('a pause holds its own process back when Redis cannot tell the others', async () => {
    await using fleet = await openFleet();
    fleet.proxy.refuse();
    const { governor } = fleet.member({});
    await governor.acquire(1);
    const start = performance.now();
    governor.pause(200);
    await governor.acquire(1);
    expect(performance.now() - start).toBeGreaterThanOrEqual(199);
  });
});
