import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { remembered } from '../src/remembered.ts';

test('all who ask at once or soon after share one reading', async () => {
  let reads = 0;
  const read = remembered(async () => {
    reads += 1;
    return reads;
  }, 100);
  expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1]);
  expect(await read()).toBe(1);
  await sleep(150);
  expect(await read()).toBe(2);
});

test('what takes long to read is read less often than was asked for', async () => {
  let reads = 0;
  const read = remembered(async () => {
    reads += 1;
    await sleep(60);
    return reads;
  }, 10);
  await read();
  await sleep(100);
  // A twentieth of the time at most: not again for more than a second.
  expect(await read()).toBe(1);
});

test('a failure is not remembered', async () => {
  let reads = 0;
  const read = remembered(async () => {
    reads += 1;
    if (reads === 1) throw new Error('away');
    return reads;
  }, 60_000);
  await expect(read()).rejects.toThrow('away');
  expect(await read()).toBe(2);
});
