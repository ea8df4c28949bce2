import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createPool, type LaneName, type Pool } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

// Six connections, five of them the core: one promised to control, two to interactive, two to bulk, and the overflow for
// whoever waits for it.
const lanes = {
  control: { guaranteed: 1, max: 2, priority: 0 },
  interactive: { guaranteed: 2, priority: 1 },
  bulk: { guaranteed: 2, priority: 2 },
};

/** Takes what the lane can get; what it cannot stays waiting. */
async function saturate(pool: Pool, lane: LaneName, wanted: number) {
  const waiting = Array.from({ length: wanted }, () => pool.lane(lane).acquire());
  const settled = new Set<number>();
  waiting.forEach((lease, i) => void lease.then(() => settled.add(i)));
  await expect.poll(() => settled.size + (pool.status().lanes[lane]?.waiting ?? 0)).toBe(wanted);
  await expect.poll(() => pool.status().opening).toBe(0);
  return {
    held: () => settled.size,
    async [Symbol.asyncDispose]() {
      await Promise.all(waiting.map(async (lease) => (await lease).release()));
    },
  };
}

describeWithServices('postgres', 'lanes', () => {
  const database = useDatabase();
  const create = () => createPool({ connectionString: database.url, size: 5, maxOverflow: 1, lanes });

  test('saturated bulk work does not hold up interactive and control work', async () => {
    await using pool = create();
    await using bulk = await saturate(pool, 'bulk', 20);
    await expect.poll(bulk.held).toBe(3);
    const answers = await Promise.all([
      pool.lane('interactive').query('select 1', []),
      pool.lane('control').query('select 1', []),
      pool.lane('interactive').query('select 1', []),
    ]);
    expect(answers).toHaveLength(3);
    expect(pool.status().lanes.bulk).toMatchObject({ checked_out: 3, waiting: 17 });
  });

  test('a lane borrows what nobody was promised, and never more', async () => {
    await using pool = create();
    await using interactive = await saturate(pool, 'interactive', 10);
    await expect.poll(interactive.held).toBe(3);
    // The free one is gone, so bulk gets its promise and no more, and control the same.
    await using bulk = await saturate(pool, 'bulk', 10);
    await using control = await saturate(pool, 'control', 10);
    await expect.poll(() => [bulk.held(), control.held()]).toEqual([2, 1]);
    expect(pool.status()).toMatchObject({ checked_out: 6, overflow: 1 });
  });

  test('a lane stays under its maximum even when everything is idle', async () => {
    await using pool = create();
    await using control = await saturate(pool, 'control', 5);
    await expect.poll(control.held).toBe(2);
    expect(pool.status().lanes.control).toMatchObject({
      checked_out: 2,
      waiting: 3,
      guaranteed: 1,
      max: 2,
    });
  });

  test('of waiting lanes the more urgent one is served first', async () => {
    await using pool = createPool({
      connectionString: database.url,
      size: 1,
      maxOverflow: 0,
      lanes: {
        control: { guaranteed: 0, priority: 0 },
        interactive: { guaranteed: 0, priority: 1 },
        bulk: { guaranteed: 0, priority: 2 },
      },
    });
    const held = await pool.lane('bulk').acquire();
    const served: string[] = [];
    const all = (['bulk', 'interactive', 'bulk', 'control'] as const).map((lane) =>
      pool.lane(lane).session(async () => void served.push(lane)),
    );
    await held.release();
    await Promise.all(all);
    expect(served).toEqual(['control', 'interactive', 'bulk', 'bulk']);
  });

  test('every lane comes through while the other two are flooded', async () => {
    await using pool = create();
    for (const lane of ['interactive', 'bulk', 'control'] as const) {
      const others = (['interactive', 'bulk', 'control'] as const).filter((name) => name !== lane);
      await using _first = await saturate(pool, others[0] as LaneName, 12);
      await using _second = await saturate(pool, others[1] as LaneName, 12);
      for (let i = 0; i < lanes[lane].guaranteed; i += 1) {
        await pool.lane(lane).session(async (lease) => lease.query('select 1'), { timeoutMs: 2_000 });
      }
    }
  });
});
