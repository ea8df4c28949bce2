import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFreshRead } from '../src/fresh-read.ts';

test('everybody gets a read that began after they asked, and one at a time is under way', async () => {
  let written = 0;
  let reads = 0;
  let underWay = 0;
  const read = createFreshRead(async () => {
    reads += 1;
    underWay += 1;
    expect(underWay).toBe(1);
    const seen = written;
    await sleep(2);
    underWay -= 1;
    return seen;
  });
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      for (let i = 0; i < 20; i += 1) {
        written += 1;
        const atLeast = written;
        expect(await read()).toBeGreaterThanOrEqual(atLeast);
      }
    }),
  );
  expect(reads).toBeLessThan(100);
});

test('it ends for those who have asked, however many ask meanwhile', async () => {
  const read = createFreshRead(() => sleep(2));
  let asking = true;
  const others = (async () => {
    while (asking) {
      void read();
      await sleep(1);
    }
  })();
  for (let i = 0; i < 10; i += 1) await read();
  asking = false;
  await others;
});

test('a read that fails is the failure of those it was for', async () => {
  const outcomes = [new Error('first'), undefined];
  const read = createFreshRead(async () => {
    await sleep(1);
    const error = outcomes.shift();
    if (error) throw error;
    return 'read';
  });
  const first = read();
  const second = read();
  await expect(first).rejects.toThrow('first');
  expect(await second).toBe('read');
});
