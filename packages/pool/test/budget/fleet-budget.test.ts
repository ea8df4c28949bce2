import { describe, expect, test } from 'vitest';
import { createFleetBudget } from '../../src/budget/index.ts';
import { createFleet, type FakePool } from './support/fleet.ts';

const sharesOf = (...pools: FakePool[]) => pools.map(({ share }) => share);

describe('shares', () => {
  test('a lone member gets everything but the reserve, at once on a store that was just set up', async () => {
    const fleet = createFleet();
    const pool = fleet.add();
    await fleet.run(50);
    expect(await pool.joined).toBe(2);
    await fleet.run(250);
    expect(pool.share).toBe(20);
  });

  test('joining takes from the others, leaving gives back, within two seconds', async () => {
    const fleet = createFleet();
    const one = fleet.add();
    await fleet.run(2_000);
    const two = fleet.add();
    await fleet.run(2_000);
    expect(sharesOf(one, two)).toEqual([10, 10]);
    one.held = 0;
    one.share = 0;
    await one.budget.leave();
    await fleet.run(1_200);
    expect(two.share).toBe(20);
    expect(two.budget.status()).toMatchObject({ state: 'joined', share: 20, members: 1, waiting: 0 });
  });

  test('the share of a killed member goes to the others when its ttl is over, and not before', async () => {
    const fleet = createFleet();
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    two.kill();
    await fleet.run(3_500);
    expect(one.share).toBe(10);
    await fleet.run(2_700);
    expect(one.share).toBe(20);
  });

  test('roles share by weight, and a cap leaves the rest to the others', async () => {
    const fleet = createFleet({ limit: 65 });
    const [gateway, worker, small] = [
      fleet.add({ weight: 3 }),
      fleet.add({ weight: 1 }),
      fleet.add({ weight: 3, cap: 4 }),
    ];
    await fleet.run(3_000);
    expect(sharesOf(gateway, worker, small)).toEqual([42, 14, 4]);
  });

  test('shrinking waits for borrowers, and the other grows by what was given back and no more', async () => {
    const fleet = createFleet();
    const one = fleet.add();
    await fleet.run(2_000);
    one.busy = 16;
    const two = fleet.add();
    await fleet.run(2_000);
    expect(one.budget.status()).toMatchObject({ share: 10, granted: 16 });
    expect(sharesOf(one, two)).toEqual([10, 4]);
    one.busy = 13;
    await fleet.run(2_100);
    expect(sharesOf(one, two)).toEqual([10, 7]);
    one.busy = 0;
    await fleet.run(2_100);
    expect(sharesOf(one, two)).toEqual([10, 10]);
    expect(fleet.held()).toBe(20);
  });

  test('with two limits in the fleet the lower one counts for all, as long as its member is there', async () => {
    const fleet = createFleet();
    const one = fleet.add({ limit: 45 });
    await fleet.run(2_000);
    expect(one.share).toBe(40);
    const two = fleet.add({ limit: 15 });
    await fleet.run(2_000);
    expect(sharesOf(one, two)).toEqual([5, 5]);
    two.kill();
    await fleet.run(7_000);
    expect(one.share).toBe(40);
  });

  test('a limit that is asked for is asked for again, and followed', async () => {
    let limit = 25;
    const fleet = createFleet({ limit: async () => limit });
    const pool = fleet.add();
    await fleet.run(1_000);
    expect(pool.share).toBe(20);
    limit = 15;
    await fleet.run(62_000);
    expect(pool.share).toBe(10);
    expect(pool.budget.status()).toMatchObject({ limit: 15, reserve: 5 });
  });

  test('when lower limits leave no room for all floors, all go below them together', async () => {
    let limit = 25;
    const fleet = createFleet({ limit: async () => limit, floor: 4 });
    const pools = [fleet.add(), fleet.add(), fleet.add(), fleet.add()];
    await fleet.run(3_000);
    limit = 13;
    await fleet.run(64_000);
    expect(sharesOf(...pools)).toEqual([2, 2, 2, 2]);
  });
});

describe('joining', () => {
  test('a newcomer waits while its floor does not fit, and gets it when somebody leaves', async () => {
    const fleet = createFleet({ floor: 10 });
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    const three = fleet.add();
    await fleet.run(5_000);
    expect(three.budget.status()).toMatchObject({ state: 'joining', share: 0, members: 2, waiting: 1 });
    expect(sharesOf(one, two)).toEqual([10, 10]);
    one.held = 0;
    one.share = 0;
    await one.budget.leave();
    await fleet.run(1_200);
    expect(await three.joined).toBe(10);
  });

  test('members in possession make room for the floor of a newcomer, as soon as borrowers let them', async () => {
    const fleet = createFleet({ floor: 5 });
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    one.busy = 10;
    two.busy = 10;
    const three = fleet.add();
    await fleet.run(3_000);
    expect(three.share).toBe(0);
    one.busy = 0;
    two.busy = 0;
    await fleet.run(2_000);
    expect(sharesOf(one, two, three).sort()).toEqual([6, 7, 7]);
  });

  test('a newcomer without room is refused at the deadline, and is told why and what to do', async () => {
    const fleet = createFleet({ floor: 10, joinTimeoutMs: 4_000 });
    fleet.add();
    fleet.add();
    await fleet.run(2_000);
    const three = fleet.add();
    await fleet.run(3_900);
    expect(three.failure).toBeUndefined();
    await fleet.run(200);
    expect(three.failure).toMatchObject({ name: 'PoolError', code: 'budget_exhausted', retryable: true });
    const { message } = three.failure as Error;
    expect(message).toMatch(/within 4000 ms: limit 25, reserve 5, floor 10; 2 members with 20 connections/);
    expect(message).toMatch(/pool-0\/\w+: 10, pool-1\/\w+: 10/);
    expect(message).toMatch(
      /Raise max_connections .*, run fewer processes, or lower the floors or the reserve/,
    );
    expect(three.budget.status()).toMatchObject({ state: 'outside', share: 0 });
    expect(fleet.server.ledger?.members).toHaveLength(2);
  });

  test('those that wait are admitted in the order in which they came, and a small one does not overtake', async () => {
    const fleet = createFleet({ floor: 5, joinTimeoutMs: 60_000 });
    const first = [fleet.add(), fleet.add(), fleet.add(), fleet.add()];
    await fleet.run(2_000);
    const large = fleet.add({ floor: 10 });
    await fleet.run(300);
    const small = fleet.add({ floor: 1 });
    await fleet.run(300);
    const leave = async (pool: FakePool) => {
      pool.held = 0;
      pool.share = 0;
      await pool.budget.leave();
      await fleet.run(2_500);
    };
    await leave(first[0]!);
    expect(sharesOf(large, small)).toEqual([0, 0]);
    await leave(first[1]!);
    expect(sharesOf(large, small)).toEqual([10, 0]);
    await leave(first[2]!);
    expect(large.share).toBeGreaterThanOrEqual(10);
    expect(small.share).toBeGreaterThanOrEqual(1);
  });

  test('a stream of newcomers does not keep the first in line waiting', async () => {
    const fleet = createFleet({ floor: 5, joinTimeoutMs: 60_000 });
    const first = [fleet.add(), fleet.add(), fleet.add(), fleet.add()];
    await fleet.run(2_000);
    const large = fleet.add({ floor: 10 });
    await fleet.run(300);
    const stream: FakePool[] = [];
    for (let n = 0; n < 10; n += 1) {
      stream.push(fleet.add({ floor: 1 }));
      if (n === 3) first[0]!.kill();
      if (n === 5) first[1]!.kill();
      await fleet.run(1_000);
    }
    await fleet.run(3_000);
    expect(large.share).toBe(10);
    expect(stream.every(({ share }) => share === 0)).toBe(true);
  });

  test('joining can be aborted, and leaves no trace', async () => {
    const fleet = createFleet({ floor: 20 });
    fleet.add();
    await fleet.run(1_000);
    const abort = new AbortController();
    const two = fleet.add({ signal: abort.signal });
    await fleet.run(1_000);
    abort.abort(new Error('not any more'));
    await fleet.run(50);
    expect(two.failure).toMatchObject({ message: 'not any more' });
    expect(fleet.server.ledger?.members).toHaveLength(1);
  });

  test('leaving while joining ends the join', async () => {
    const fleet = createFleet({ floor: 20 });
    fleet.add();
    const two = fleet.add();
    await fleet.run(1_000);
    await Promise.all([two.budget.leave(), two.budget.leave()]);
    await fleet.run(50);
    expect(two.failure).toMatchObject({ code: 'pool_closed' });
    expect(two.budget.status().state).toBe('outside');
  });

  test('a limit that leaves no room for the floor is refused without waiting', async () => {
    const fleet = createFleet({ limit: async () => 6 });
    const pool = fleet.add();
    await fleet.run(50);
    expect(pool.failure).toMatchObject({ code: 'budget_exhausted', retryable: false });
    expect((pool.failure as Error).message).toContain('a limit of 6 connections with a reserve of 5');
  });

  test('a second join is an error, and after leaving it may join again', async () => {
    const fleet = createFleet();
    const pool = fleet.add();
    await fleet.run(300);
    const again = () => pool.budget.join({ held: () => 0, onShare: () => {} });
    await expect(again()).rejects.toThrow(TypeError);
    pool.held = 0;
    pool.share = 0;
    await pool.budget.leave();
    await pool.budget.leave();
    const joined = again();
    await fleet.clock.advance(300);
    expect(await joined).toBe(2);
    await pool.budget.leave();
  });

  test('what is still held when leaving stays counted until the ttl is over', async () => {
    const fleet = createFleet();
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    one.busy = 7;
    one.share = 0;
    one.held = 7;
    await one.budget.leave();
    await fleet.run(2_000);
    expect(two.share).toBe(13);
    one.busy = 0;
    one.held = 0;
    await fleet.run(6_000);
    expect(two.share).toBe(20);
  });
});

describe('a store in trouble', () => {
  test('while it is away for all, shares fall to the floors before the ttl, and nobody exceeds the limit after', async () => {
    const fleet = createFleet();
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    fleet.server.line = 'down';
    await fleet.run(2_000);
    expect(sharesOf(one, two)).toEqual([10, 10]);
    await fleet.run(2_000);
    expect(sharesOf(one, two)).toEqual([2, 2]);
    expect(one.budget.status().degraded).toMatch(/connection refused; the share is fenced/);
    await fleet.run(600_000);
    one.busy = 10;
    one.held = 10;
    fleet.server.line = 'up';
    one.line.line = 'down';
    await fleet.run(2_000);
    expect(two.share).toBeLessThanOrEqual(10);
    one.line.line = 'up';
    await fleet.run(2_000);
    expect(sharesOf(one, two)).toEqual([10, 10]);
    expect(one.budget.status().degraded).toBeUndefined();
  });

  test('a store that hangs is the same as one that refuses', async () => {
    const fleet = createFleet();
    const pool = fleet.add();
    await fleet.run(2_000);
    fleet.server.line = 'hangs';
    await fleet.run(3_100);
    expect(pool.share).toBe(2);
    expect(pool.budget.status().degraded).toContain('no answer within 1500 ms');
    fleet.server.line = 'up';
    await fleet.run(2_000);
    expect(pool.share).toBe(20);
  });

  test('one that is cut off alone has shrunk before the others take its share', async () => {
    const fleet = createFleet({ floor: 1 });
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    one.line.line = 'hangs';
    for (let ms = 0; ms < 20_000; ms += 50) {
      await fleet.run(50);
      // Its floor is what remains, and what the reserve is there for.
      expect(fleet.held()).toBeLessThanOrEqual(20 + 1);
    }
    expect(sharesOf(one, two)).toEqual([1, 20]);
    one.line.line = 'up';
  });

  test('with staticMembers an equal part of the limit stays', async () => {
    const fleet = createFleet({ staticMembers: 4 });
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    fleet.server.line = 'down';
    await fleet.run(4_000);
    expect(sharesOf(one, two)).toEqual([5, 5]);
  });

  test('joining without it is refused at the deadline as unreachable, with the cause', async () => {
    const fleet = createFleet({ joinTimeoutMs: 3_000 });
    fleet.server.line = 'down';
    const pool = fleet.add();
    await fleet.run(3_100);
    expect(pool.failure).toMatchObject({
      code: 'budget_unreachable',
      cause: { message: 'connection refused' },
    });
    expect((pool.failure as Error).message).toContain('in memory could not be reached within 3000 ms');
  });

  test('a limit that cannot be asked for is unreachable too', async () => {
    const fleet = createFleet({ joinTimeoutMs: 3_000, limit: () => Promise.reject(new Error('no route')) });
    const pool = fleet.add();
    await fleet.run(3_100);
    expect(pool.failure).toMatchObject({ code: 'budget_unreachable', cause: { message: 'no route' } });
  });

  test('after a flush members come back with what they hold, and a newcomer waits for them', async () => {
    const fleet = createFleet();
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    fleet.server.flush();
    const three = fleet.add();
    for (let ms = 0; ms < 8_000; ms += 50) {
      await fleet.run(50);
      expect(fleet.held()).toBeLessThanOrEqual(20);
    }
    expect(sharesOf(one, two, three).sort()).toEqual([6, 7, 7]);
  });

  test('after a flush a member that holds nothing at the moment keeps its share', async () => {
    const fleet = createFleet();
    const shares: number[] = [];
    const budget = createFleetBudget({ store: fleet.server.connect(), limit: 25, clock: fleet.clock });
    const joined = budget.join({ held: () => 0, onShare: (share) => shares.push(share) });
    await fleet.run(1_000);
    await joined;
    fleet.server.flush();
    await fleet.run(1_100);
    expect(fleet.server.ledger?.members[0]).toMatchObject({ held: 20, granted: 20 });
    expect(shares).toEqual([20]);
    await budget.leave();
  });

  test('a first start on a store that may have forgotten others waits for half a ttl', async () => {
    const fleet = createFleet({}, { fresh: false });
    const pool = fleet.add();
    await fleet.run(2_400);
    expect(pool.share).toBe(0);
    expect(pool.budget.status().degraded).toContain('the state in the store is new');
    await fleet.run(400);
    expect(pool.share).toBe(2);
    await fleet.run(2_500);
    expect(pool.share).toBe(20);
    expect(pool.budget.status().degraded).toBeUndefined();
  });

  test('a listener that throws does not stop the heartbeat, and is reported', async () => {
    const fleet = createFleet();
    const budget = createFleetBudget({ store: fleet.server.connect(), limit: 25, clock: fleet.clock });
    const joined = budget.join({
      held: () => 0,
      onShare() {
        throw new Error('deaf');
      },
    });
    await fleet.run(1_000);
    await joined;
    expect(budget.status()).toMatchObject({ share: 20, degraded: 'onShare failed: deaf' });
    const other = fleet.add();
    await fleet.run(7_000);
    expect(budget.status()).toMatchObject({ share: 10, members: 2 });
    expect(other.share).toBe(10);
    await budget.leave();
  });
});

describe('a process that was suspended', () => {
  test('for less than the ttl keeps its share', async () => {
    const fleet = createFleet();
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    const before = [...one.shares];
    one.process.pause();
    await fleet.run(2_000);
    one.process.resume();
    await fleet.run(1_000);
    expect(one.shares).toEqual(before);
    expect(sharesOf(one, two)).toEqual([10, 10]);
  });

  test('does not take an answer for a new one that it finds when it wakes up', async () => {
    const fleet = createFleet();
    const line = fleet.server.connect();
    let late = false;
    const one = fleet.add({
      store: {
        ...line,
        async exchange(request) {
          const answer = await line.exchange(request);
          if (late) await new Promise<void>((resolve) => fleet.clock.setTimeout(resolve, 10_000));
          return answer;
        },
      },
    });
    await fleet.run(50);
    expect(one.share).toBe(2);
    late = true;
    await fleet.run(200);
    one.process.pause();
    const two = fleet.add();
    await fleet.run(12_000);
    expect(two.share).toBe(20);
    expect(one.shares).toEqual([2]);
    late = false;
    one.process.resume();
    await fleet.run(2_000);
    expect(sharesOf(one, two)).toEqual([10, 10]);
  });

  test('past its ttl falls to its floor when it wakes up, before it asks the store', async () => {
    const fleet = createFleet();
    const [one, two] = [fleet.add(), fleet.add()];
    await fleet.run(2_000);
    one.busy = 10;
    one.process.pause();
    await fleet.run(10_000);
    expect(two.share).toBe(20);
    const before = one.shares.length;
    one.process.resume();
    expect(one.shares[before]).toBe(2);
    await fleet.run(2_000);
    // Both say the truth, and both shrink to what fits.
    expect(one.budget.status()).toMatchObject({ share: 10, granted: 10 });
    expect(fleet.held()).toBe(20);
    expect(two.share).toBe(10);
  });
});
