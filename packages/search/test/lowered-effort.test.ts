import { expect, test } from 'vitest';
import { loweredEffort } from '../src/lowered-effort.ts';

test.each([
  [100, 0, 10, 100],
  [100, 1, 10, 50],
  [100, 2, 10, 25],
  [75, 1, 10, 38],
  [60, 2, 10, 20],
  [100, 2, 40, 40],
  [100, 2, 300, 100],
  [10, 2, 10, 10],
] as const)('an effort of %i at level %i for %i hits becomes %i', (effort, level, wanted, lowered) => {
  expect(loweredEffort(effort, level, wanted)).toBe(lowered);
});
