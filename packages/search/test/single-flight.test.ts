import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createSingleFlight } from '../src/single-flight.ts';

const seed = Number(process.env.STRESS_SEED ?? Date.now() % 1_000_000_000);

test('whoever comes after the last one has left does not join what is being given up', async () => {
  const flights = createSingleFlight<string>();
  const leave = new AbortController();
  const slow = async (signal: AbortSignal) => {
    // It takes a while to notice.
    await sleep(50);
    signal.throwIfAborted();
    return 'slow';
  };
  const left = flights('a', slow, leave.signal);
  leave.abort(new Error('has left'));
  await expect(left).rejects.toThrow('has left');
  const late = flights('a', async () => 'anew');
  expect(await late).toEqual({ value: 'anew', joined: false });
});

test('one that came too late for its own signal starts nothing', async () => {
  const flights = createSingleFlight<string>();
  let runs = 0;
  const work = async () => {
    runs += 1;
    return 'done';
  };
  await expect(flights('a', work, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  expect(runs).toBe(0);
});

test(`of 5 000 callers who come and leave at random, those who stay get what was made for their key (STRESS_SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const flights = createSingleFlight<string>();
  const running = new Map<string, number>();
  const ends = { value: 0, left: 0, failed: 0 };
  let runs = 0;

  function workOn(key: string): (signal: AbortSignal) => Promise<string> {
    return async (signal) => {
      runs += 1;
      running.set(key, (running.get(key) ?? 0) + 1);
      // Nothing runs twice at a time: what was given up has ended before the next begins, as far as anybody notices.
      expect(running.get(key)).toBe(1);
      try {
        await sleep(random.between(0, 8), undefined, { signal });
        if (random.chance(0.1)) throw new Error(`${key} failed`);
        return key;
      } finally {
        running.set(key, (running.get(key) ?? 0) - 1);
      }
    };
  }

  await Promise.all(
    Array.from({ length: 5_000 }, async (_, i) => {
      await sleep(i / 10);
      const key = `key ${random.between(0, 20)}`;
      const leave = random.chance(0.6) ? new AbortController() : undefined;
      if (leave) setTimeout(() => leave.abort(new Error('left')), random.between(0, 6));
      try {
        const { value } = await flights(key, workOn(key), leave?.signal);
        expect(value).toBe(key);
        ends.value += 1;
      } catch (error) {
        const { message } = error as Error;
        if (message === 'left' && leave?.signal.aborted) ends.left += 1;
        else if (message === `${key} failed`) ends.failed += 1;
        // Nobody is told that a run was given up who has not left.
        else throw error;
      }
    }),
  );
  expect(ends.value + ends.left + ends.failed).toBe(5_000);
  expect(Math.min(...Object.values(ends))).toBeGreaterThan(0);
  expect(runs).toBeLessThan(5_000);
  // What was given up last ends a moment after its callers have left.
  await expect.poll(() => Math.max(...running.values())).toBe(0);
});
