import { describe, expect, test } from 'vitest';
import { createFleetBudget, createStaticBudget, type FleetBudgetOptions } from '../../src/budget/index.ts';
import { createMemoryServer } from './support/memory-store.ts';
import { createVirtualClock } from './support/virtual-clock.ts';

describe('the options of a fleet budget', () => {
  const store = createMemoryServer(createVirtualClock()).connect();

  test.each<[string, Partial<FleetBudgetOptions>]>([
    ['reserve', { reserve: -1 }],
    ['floor', { floor: 0 }],
    ['floor', { floor: 1.5 }],
    ['cap', { floor: 4, cap: 3 }],
    ['weight', { weight: 0 }],
    ['weight', { weight: Number.NaN }],
    ['heartbeatMs', { heartbeatMs: 0 }],
    ['ttlMs', { ttlMs: 3_000 }],
    ['joinTimeoutMs', { joinTimeoutMs: 0 }],
    ['staticMembers', { staticMembers: 0 }],
    ['limit', { limit: 6 }],
    ['limit', { limit: 60.5 }],
  ])('an error names %s: %o', (name, options) => {
    const create = () => createFleetBudget({ store, limit: 60, ...options });
    expect(create).toThrow(RangeError);
    expect(create).toThrow(new RegExp(`^${name} `));
  });

  test('before it has joined the status says so', () => {
    const budget = createFleetBudget({ store, limit: 60 });
    expect(budget.status()).toEqual({
      ...{ driver: 'memory', state: 'outside', share: 0, granted: 0, members: 0, waiting: 0 },
      ...{ limit: 60, reserve: 5, weight: 1, floor: 2, cap: 2 ** 31 - 1 },
    });
  });

  test('leaving before joining is harmless', async () => {
    await using budget = createFleetBudget({ store, limit: 60 });
    await budget.leave();
  });
});

describe('a static budget', () => {
  const member = { held: () => 0, onShare: () => {} };

  test('is an equal part of the limit without the reserve', async () => {
    await using budget = createStaticBudget({ limit: 60, members: 4 });
    expect(await budget.join(member)).toBe(13);
    expect(budget.status()).toMatchObject({ driver: 'static', state: 'joined', share: 13, members: 4 });
  });

  test('goes by weight, and stops at the cap', async () => {
    const heavy = createStaticBudget({ limit: 45, members: 3, weight: 2, totalWeight: 4 });
    expect(await heavy.join(member)).toBe(20);
    const capped = createStaticBudget({ limit: 45, members: 2, cap: 6 });
    expect(await capped.join(member)).toBe(6);
  });

  test('is refused when it is below the floor', () => {
    const create = () => createStaticBudget({ limit: 20, members: 10 });
    expect(create).toThrow(/gives each of 10 members 1, below the floor of 2\. Raise max_connections/);
    expect(create).toThrow(expect.objectContaining({ code: 'budget_exhausted', retryable: false }));
  });

  test('can be joined once, and again after leaving', async () => {
    const budget = createStaticBudget({ limit: 60, members: 4 });
    await budget.join(member);
    await expect(budget.join(member)).rejects.toThrow(TypeError);
    await budget.leave();
    await budget.leave();
    expect(budget.status().share).toBe(0);
    expect(await budget.join(member)).toBe(13);
  });

  test.each([{ members: 0 }, { weight: 0 }, { totalWeight: 0.5 }, { cap: 1 }, { reserve: -1 }, { limit: 0 }])(
    'options that make no sense are errors: %o',
    (options) => {
      expect(() => createStaticBudget({ limit: 60, members: 4, ...options })).toThrow(RangeError);
    },
  );
});
