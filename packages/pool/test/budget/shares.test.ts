import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeShares, type ShareClaim } from '../../src/budget/shares.ts';

const claim = fc
  .record({
    weight: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0.25, 0.5, 1.5, 100)),
    floor: fc.integer({ min: 1, max: 6 }),
    beyond: fc.integer({ min: 0, max: 40 }),
  })
  .map(({ weight, floor, beyond }) => ({ weight, floor, cap: floor + beyond }));
const claims = fc
  .array(claim, { maxLength: 12 })
  .map((list): ShareClaim[] => list.map((each, index) => ({ id: `m${index}`, ...each })));
const limits = fc.integer({ min: 0, max: 120 });

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
const floorsOf = (list: ShareClaim[]) => sum(list.map(({ floor }) => floor));

test('shares never add up to more than the limit, and none is above its cap', () => {
  fc.assert(
    fc.property(claims, limits, (list, limit) => {
      const shares = computeShares(list, limit);
      expect(sum(shares.values())).toBeLessThanOrEqual(limit);
      for (const { id, cap } of list) {
        expect(shares.get(id)).toBeLessThanOrEqual(cap);
        expect(Number.isInteger(shares.get(id))).toBe(true);
      }
    }),
  );
});

test('everybody gets the floor when the floors fit, and nobody gets more than it when they do not', () => {
  fc.assert(
    fc.property(claims, limits, (list, limit) => {
      const shares = computeShares(list, limit);
      const fit = floorsOf(list) <= limit;
      for (const { id, floor } of list) {
        if (fit) expect(shares.get(id)).toBeGreaterThanOrEqual(floor);
        else expect(shares.get(id)).toBeLessThanOrEqual(floor);
      }
    }),
  );
});

test('nothing is left over while somebody is below the cap', () => {
  fc.assert(
    fc.property(claims, limits, (list, limit) => {
      const most = floorsOf(list) <= limit ? sum(list.map(({ cap }) => cap)) : floorsOf(list);
      expect(sum(computeShares(list, limit).values())).toBe(Math.min(limit, most));
    }),
  );
});

test('the order of the members does not matter', () => {
  fc.assert(
    fc.property(claims, limits, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (list, limit, keys) => {
      const shuffled = list
        .map((each, index) => ({ each, key: keys[index]! }))
        .sort((a, b) => a.key - b.key)
        .map(({ each }) => each);
      const sorted = (shares: Map<string, number>) => [...shares].sort();
      expect(sorted(computeShares(shuffled, limit))).toEqual(sorted(computeShares(list, limit)));
    }),
  );
});

test('with a higher limit nobody gets fewer', () => {
  fc.assert(
    fc.property(claims, limits, (list, limit) => {
      fc.pre(floorsOf(list) <= limit);
      const lower = computeShares(list, limit);
      const higher = computeShares(list, limit + 1);
      for (const { id } of list) expect(higher.get(id)).toBeGreaterThanOrEqual(lower.get(id)!);
    }),
  );
});

test('when somebody joins, nobody else gets more', () => {
  fc.assert(
    fc.property(claims, claim, limits, (list, newcomer, limit) => {
      fc.pre(floorsOf(list) + newcomer.floor <= limit);
      const before = computeShares(list, limit);
      const after = computeShares([...list, { id: 'new', ...newcomer }], limit);
      for (const { id } of list) expect(after.get(id)).toBeLessThanOrEqual(before.get(id)!);
    }),
  );
});

test('with a higher weight a member does not get fewer', () => {
  fc.assert(
    fc.property(claims, limits, fc.integer({ min: 1, max: 5 }), (list, limit, more) => {
      const [first, ...rest] = list;
      fc.pre(first !== undefined);
      const heavier = [{ ...first, weight: first.weight + more }, ...rest];
      const share = computeShares(list, limit).get(first.id)!;
      expect(computeShares(heavier, limit).get(first.id)).toBeGreaterThanOrEqual(share);
    }),
  );
});

test('a member gets its part by weight to within one connection, where floors and caps do not bind', () => {
  const shares = computeShares(
    [
      { id: 'gateway', weight: 2, floor: 2, cap: 100 },
      { id: 'worker-1', weight: 1, floor: 2, cap: 100 },
      { id: 'worker-2', weight: 1, floor: 2, cap: 100 },
    ],
    55,
  );
  expect(shares.get('gateway')).toBeGreaterThanOrEqual(27);
  expect(shares.get('gateway')).toBeLessThanOrEqual(28);
  expect(sum(shares.values())).toBe(55);
});

test('a limit below zero gives nobody anything', () => {
  expect([...computeShares([{ id: 'a', weight: 1, floor: 2, cap: 5 }], -3).values()]).toEqual([0]);
});
