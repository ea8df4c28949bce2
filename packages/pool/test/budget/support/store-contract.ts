import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type ConnectionBudget,
  createFleetBudget,
  type ExchangeAnswer,
  type ExchangeRequest,
  type FleetStore,
} from '../../../src/budget/index.ts';

export interface StoreHarness extends AsyncDisposable {
  /** Two processes' ways to the same state. */
  readonly stores: readonly [FleetStore, FleetStore];
  /** The server loses the state, as after a crash or a flush. */
  lose(): Promise<void>;
}

const ttlMs = 600;
const limit = 20;

/** What every store has to do. */
export function storeContract(title: string, provide: () => Promise<StoreHarness>): void {
  describe(title, () => {
    let harness: StoreHarness;
    let turn = 0;
    const ids = new Set<string>();

    /** Alternates between the two ways. */
    function exchange(id: string, request: Partial<ExchangeRequest> = {}): Promise<ExchangeAnswer> {
      ids.add(id);
      turn += 1;
      const base = { weight: 1, floor: 2, cap: 100, held: 0, request: 5, ttlMs, limit };
      return harness.stores[turn % 2]!.exchange({ id, turn, ...base, ...request });
    }

    async function untilSettled(): Promise<void> {
      while ((await exchange('probe', { request: 2 })).settling) await sleep(20);
      await harness.stores[0].leave('probe');
    }

    beforeAll(async () => {
      harness = await provide();
      await untilSettled();
    });
    afterEach(async () => {
      for (const id of ids) await harness.stores[0].leave(id);
      ids.clear();
    });
    afterAll(() => harness[Symbol.asyncDispose]());

    test('a member is granted what it requests, and all see the same records', async () => {
      const first = await exchange('a', { weight: 1.5, floor: 3, cap: 9, held: 1, request: 7 });
      expect(first).toMatchObject({ granted: 7, settling: false });
      const { members } = await exchange('b');
      const record = { id: 'a', weight: 1.5, floor: 3, cap: 9, held: 1, granted: 7, limit };
      expect(members.find(({ id }) => id === 'a')).toMatchObject(record);
      expect(members.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    });

    test('grants together never exceed the limit', async () => {
      expect((await exchange('a', { request: 12 })).granted).toBe(12);
      expect((await exchange('b', { request: 12 })).granted).toBe(8);
      expect((await exchange('a', { request: 15, held: 12 })).granted).toBe(12);
    });

    test('not even when many join at once', async () => {
      const names = Array.from({ length: 24 }, (_, n) => `m${n}`);
      await Promise.all(names.map((id) => exchange(id, { request: 3 })));
      const { members } = await exchange('probe', { floor: limit, request: limit });
      const granted = members.reduce((sum, member) => sum + member.granted, 0);
      expect(granted).toBeLessThanOrEqual(limit);
      expect(granted).toBeGreaterThan(limit - 2);
    });

    test('a grant falls only to what is held, and what was given back is free', async () => {
      await exchange('a', { request: 20 });
      expect((await exchange('a', { held: 14, request: 10 })).granted).toBe(14);
      expect((await exchange('b', { request: 10 })).granted).toBe(6);
      expect((await exchange('a', { held: 9, request: 10 })).granted).toBe(10);
      expect((await exchange('b', { held: 6, request: 10 })).granted).toBe(10);
    });

    test('who does not fit waits, and those that wait are admitted in their order', async () => {
      await exchange('a', { request: 20, floor: 4 });
      expect((await exchange('b', { floor: 10, request: 10 })).granted).toBe(0);
      expect((await exchange('c')).granted).toBe(0);
      await exchange('a', { held: 16, request: 16, floor: 4 });
      // Room for c, but it is b's turn.
      expect((await exchange('c')).granted).toBe(0);
      await exchange('a', { held: 8, request: 8, floor: 4 });
      expect((await exchange('c')).granted).toBe(2);
      expect((await exchange('b', { floor: 10, request: 10 })).granted).toBe(10);
    });

    test('nobody grows into the places of those that are in line', async () => {
      await exchange('a', { request: 19 });
      expect((await exchange('b')).granted).toBe(0);
      expect((await exchange('a', { held: 19, request: 20 })).granted).toBe(19);
      await exchange('a', { held: 15, request: 15 });
      expect((await exchange('a', { held: 15, request: 20 })).granted).toBe(18);
    });

    test('who says nothing for a ttl is forgotten, and who keeps talking is not', async () => {
      await exchange('dead', { request: 10 });
      const until = Date.now() + ttlMs - 250;
      while (Date.now() < until) {
        const { members } = await exchange('alive', { held: 2, request: 20 });
        expect(members).toHaveLength(2);
        await sleep(50);
      }
      await vi.waitFor(
        async () => expect((await exchange('alive', { held: 2, request: 20 })).granted).toBe(20),
        { timeout: 3_000, interval: 50 },
      );
    });

    test('after a silence of all nobody is taken for dead', async () => {
      await exchange('a', { request: 10 });
      await exchange('b', { request: 10 });
      await sleep(1.5 * ttlMs);
      expect((await exchange('a', { held: 10, request: 20 })).granted).toBe(10);
    });

    test('leaving frees the grant at once, and leaving twice is harmless', async () => {
      await exchange('a', { request: 20 });
      await harness.stores[0].leave('a');
      await harness.stores[1].leave('a');
      const { granted, members } = await exchange('b', { request: 20 });
      expect(granted).toBe(20);
      expect(members).toHaveLength(1);
    });

    test('a call that arrives after a later one changes nothing', async () => {
      await exchange('a', { request: 10, turn: 1_000_002 });
      await exchange('a', { held: 3, request: 3, turn: 1_000_001 });
      const { members } = await exchange('b');
      expect(members.find(({ id }) => id === 'a')).toMatchObject({ granted: 10, held: 0 });
    });

    test('of different limits the lowest counts', async () => {
      await exchange('a', { request: 8 });
      expect((await exchange('b', { request: 20, limit: 12 })).granted).toBe(4);
      expect((await exchange('a', { held: 8, request: 20 })).granted).toBe(8);
    });

    test('what a member holds is recorded even when it is too much', async () => {
      await exchange('a', { request: 20 });
      expect((await exchange('b', { held: 6, request: 2 })).granted).toBe(6);
    });

    test('ids may contain anything', async () => {
      const id = `it's "a" \\ {host}/đấu thầu'); --`;
      const { members } = await exchange(id);
      expect(members[0]?.id).toBe(id);
      await harness.stores[1].leave(id);
      expect((await exchange('b')).members).toHaveLength(1);
    });

    test('when the state was lost, members come back with what they hold, and newcomers wait', async () => {
      await exchange('a', { request: 10 });
      await harness.lose();
      const lostAt = Date.now();
      expect(await exchange('new')).toMatchObject({ granted: 0, settling: true });
      expect((await exchange('a', { held: 10, request: 15 })).granted).toBe(10);
      await vi.waitFor(
        async () => expect((await exchange('new', { request: 9 })).granted).toBeGreaterThan(0),
        { timeout: 3_000, interval: 50 },
      );
      expect(Date.now() - lostAt).toBeGreaterThan(ttlMs / 2 - 50);
      await untilSettled();
      expect((await exchange('a', { held: 10, request: 11 })).granted).toBe(11);
    });

    test('budgets on it share, and follow when one leaves', async () => {
      const times = { heartbeatMs: 100, ttlMs: 2_000 };
      const shares = [0, 0];
      const budgets = harness.stores.map((store) => createFleetBudget({ store, limit: 25, ...times }));
      const join = async (budget: ConnectionBudget, index: number) => {
        const onShare = (share: number) => {
          shares[index] = share;
        };
        onShare(await budget.join({ held: () => 0, onShare }));
      };
      await Promise.all(budgets.map(join));
      const inTime = { timeout: 5_000, interval: 20 };
      await vi.waitFor(() => expect(shares).toEqual([10, 10]), inTime);
      expect(budgets[0]!.status()).toMatchObject({ driver: harness.stores[0].driver, members: 2 });
      await budgets[0]!.leave();
      await vi.waitFor(() => expect(shares[1]).toBe(20), inTime);
      await budgets[1]!.leave();
    });
  });
}
