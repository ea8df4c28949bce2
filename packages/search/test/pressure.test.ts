import { expect, test } from 'vitest';
import { createPressure } from '../src/pressure.ts';

const options = { lateMs: 100, stepDownMs: 200, stepUpMs: 1_000 };

/** Levels after observing `headMs` every 50 ms for `forMs`, by turns. */
function levels(...turns: [headMs: number, forMs: number][]): number[] {
  const pressure = createPressure(options);
  let now = 0;
  return turns.map(([headMs, forMs]) => {
    let level = 0;
    for (const until = now + forMs; now < until; now += 50) level = pressure.observe(headMs, now);
    return level;
  });
}

test('a line whose head is late for a while steps down once, then once more, and no further', () => {
  expect(levels([150, 200], [150, 200], [150, 200], [600, 2_000])).toEqual([0, 1, 2, 2]);
});

test('a burst that is served soon changes nothing', () => {
  expect(levels([0, 500], [300, 150], [0, 500], [300, 150], [0, 100])).toEqual([0, 0, 0, 0, 0]);
});

test('it steps up one by one, each after a calm time that is longer than the step down', () => {
  expect(levels([150, 600], [0, 900], [0, 200], [0, 900], [0, 200])).toEqual([2, 2, 1, 1, 0]);
});

test('what is neither late nor calm holds the level', () => {
  expect(levels([150, 300], [60, 10_000], [150, 100])).toEqual([1, 1, 1]);
  expect(levels([60, 10_000])).toEqual([0]);
});

test('a late moment in a calm time makes the calm time begin anew', () => {
  expect(levels([150, 300], [0, 800], [150, 100], [0, 800], [0, 300])).toEqual([1, 1, 1, 1, 0]);
});

test('where nobody asked for a while there is no pressure left', () => {
  const pressure = createPressure(options);
  for (let now = 0; now <= 1_000; now += 50) pressure.observe(500, now);
  expect(pressure.observe(500, 1_050)).toBe(2);
  expect(pressure.observe(500, 3_000)).toBe(0);
  expect(pressure.observe(500, 3_250)).toBe(1);
});

test('a first head that is late is not yet a line', () => {
  const pressure = createPressure(options);
  expect(pressure.observe(5_000, 1_000_000)).toBe(0);
});
