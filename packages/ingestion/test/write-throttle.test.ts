import { setTimeout as sleep } from 'node:timers/promises';
import { readSearchLatency, reportSearchLatency } from '@sluice/store';
import { describeWithServices } from '@sluice/testing';
import { describe, expect, test, vi } from 'vitest';
import { createPublisher, createWriteThrottle } from '../src/index.ts';
import { inPieces, type Pace, unthrottled } from '../src/write-throttle.ts';
import { openWorkshop, textOf } from './support/workshop.ts';

/** Writes that note how many of them are under way. */
function createWrites(ms: number) {
  let underWay = 0;
  let most = 0;
  let done = 0;
  return {
    async write() {
      underWay += 1;
      most = Math.max(most, underWay);
      await sleep(ms);
      underWay -= 1;
      done += 1;
    },
    takeMost() {
      const seen = most;
      most = underWay;
      return seen;
    },
    done: () => done,
  };
}

describe('writes', () => {
  test('run side by side while nobody searches', async () => {
    const options = { readLatency: async () => undefined, targetMs: 25, intervalMs: 10 };
    using throttle = createWriteThrottle(options);
    const writes = createWrites(30);
    await Promise.all(Array.from({ length: 4 }, () => throttle.run(writes.write)));
    expect(writes.takeMost()).toBe(4);
    expect(throttle.share).toBe(1);
  });

  test('go one after the other, with pauses, while searches are slow, and side by side again when they are not', async () => {
    let latency: number | undefined = 500;
    using throttle = createWriteThrottle({ readLatency: async () => latency, targetMs: 25, intervalMs: 10 });
    const writes = createWrites(10);
    const stop = new AbortController();
    async function writer(): Promise<void> {
      while (!stop.signal.aborted) await throttle.run(writes.write);
    }
    const writers = Promise.all(Array.from({ length: 3 }, writer));
    await vi.waitFor(() => expect(throttle.share).toBeCloseTo(0.1), { timeout: 20_000 });
    writes.takeMost();
    const before = writes.done();
    await sleep(300);
    expect(writes.takeMost()).toBe(1);
    // A write of 10 ms has 90 ms of pause behind it: five at most fit, and one more that had begun.
    expect(writes.done() - before).toBeLessThanOrEqual(6);
    expect(writes.done() - before).toBeGreaterThan(0);
    latency = 5;
    await vi.waitFor(() => expect(throttle.share).toBe(1), { timeout: 20_000 });
    await vi.waitFor(() => expect(writes.takeMost()).toBe(3), { timeout: 20_000 });
    latency = 500;
    await vi.waitFor(() => expect(throttle.share).toBeLessThan(1), { timeout: 20_000 });
    latency = undefined;
    await vi.waitFor(() => expect(throttle.share).toBe(1), { timeout: 20_000 });
    stop.abort();
    await writers;
  });

  test('are cut into pieces of a few milliseconds, with a rest behind each', async () => {
    let latency: number | undefined;
    using throttle = createWriteThrottle({ readLatency: async () => latency, targetMs: 25, intervalMs: 10 });
    const pieces: [number, number][] = [];
    const write = (pace: Pace) =>
      inPieces(40, pace, async (from, to) => {
        pieces.push([from, to]);
        await sleep(3 * (to - from));
      });
    await throttle.run(write);
    expect(pieces).toEqual([[0, 40]]);

    latency = 500;
    await throttle.run(() => sleep(30));
    await vi.waitFor(() => expect(throttle.share).toBeLessThan(0.5));
    pieces.length = 0;
    const start = performance.now();
    await throttle.run(write);
    expect(performance.now() - start).toBeGreaterThan(2 * 40 * 3);
    expect(pieces[0]?.[0]).toBe(0);
    expect(pieces.at(-1)?.[1]).toBe(40);
    expect(pieces.slice(1).map(([from]) => from)).toEqual(pieces.slice(0, -1).map(([, to]) => to));
    expect(pieces.length).toBeGreaterThan(10);
  });

  test('rest no longer once the throttle is disposed of', async () => {
    const throttle = createWriteThrottle({ readLatency: async () => 500, targetMs: 25, intervalMs: 10 });
    await throttle.run(() => sleep(30));
    await vi.waitFor(() => expect(throttle.share).toBeLessThan(0.5));
    const resting = throttle.run((pace) => pace.rest(1, 10_000));
    await sleep(50);
    const start = performance.now();
    throttle[Symbol.dispose]();
    await resting;
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('that fail leave the next ones their turn', async () => {
    using throttle = createWriteThrottle({ readLatency: async () => 500, targetMs: 25, intervalMs: 10 });
    const failing = () => throttle.run(() => Promise.reject(new Error('refused')));
    for (let i = 0; i < 20; i += 1) await expect(failing()).rejects.toThrow('refused');
    await expect(throttle.run(async () => 'written')).resolves.toBe('written');
  });

  test('are not held up when the latency cannot be read, nor once the throttle is disposed of', async () => {
    const onError = vi.fn();
    const readLatency = () => Promise.reject(new Error('no connection'));
    const throttle = createWriteThrottle({ readLatency, targetMs: 25, intervalMs: 10, onError });
    await throttle.run(() => sleep(50));
    await vi.waitFor(() => expect(onError).toHaveBeenCalled());
    expect(throttle.share).toBe(1);
    throttle[Symbol.dispose]();
    await expect(throttle.run(async () => 'written')).resolves.toBe('written');
  });
});

describeWithServices('postgres', 'documents that are published while searches are slow', () => {
  test('are all published', async () => {
    await using workshop = await openWorkshop();
    const gateway = crypto.randomUUID();
    await reportSearchLatency(workshop.pool, gateway, 500);
    using throttle = createWriteThrottle({
      readLatency: () => readSearchLatency(workshop.pool, 60_000),
      targetMs: 25,
      intervalMs: 20,
    });
    // Looked at for the first time with the first write.
    await throttle.run(() => sleep(100));
    await vi.waitFor(() => expect(throttle.share).toBeLessThan(1));
    const publisher = createPublisher({ db: workshop.pool.lane('bulk'), throttle });
    const uploads = [];
    for (let i = 0; i < 12; i += 1) uploads.push(await workshop.accept(`doc-${i}`, textOf(i)));
    workshop.dependencies.publisher = publisher;
    const outcomes = await Promise.all(uploads.map(({ id }) => workshop.ingest(id)));
    expect(outcomes).toEqual(Array(12).fill('ready'));
    expect(await workshop.chunks()).toHaveLength(12);

    // Windows of it lie staged; its second version keeps half of the chunks, which are moved, and adds others.
    for (const from of [100, 120]) {
      expect(throttle.share).toBeLessThan(1);
      const subjects = Array.from({ length: 40 }, (_, i) => from + i);
      const { id } = await workshop.accept('large', textOf(...subjects));
      expect(await workshop.ingest(id, { windowChunks: 8 })).toBe('ready');
      const chunks = await workshop.chunks();
      expect(chunks).toHaveLength(12 + 40);
      const texts = new Set(chunks.map(({ text }) => text));
      for (const subject of subjects) expect(texts).toContain(textOf(subject));
      expect(await workshop.stagedCount()).toBe(0);
    }
  });

  test('have their latency from the slowest gateway, and from none that has fallen silent', async () => {
    await using workshop = await openWorkshop();
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    expect(await readSearchLatency(workshop.pool, 60_000)).toBeUndefined();
    await reportSearchLatency(workshop.pool, one, 80);
    await reportSearchLatency(workshop.pool, other, 20);
    expect(await readSearchLatency(workshop.pool, 60_000)).toBe(80);
    await reportSearchLatency(workshop.pool, one, 10);
    expect(await readSearchLatency(workshop.pool, 60_000)).toBe(20);
    await sleep(60);
    expect(await readSearchLatency(workshop.pool, 50)).toBeUndefined();
  });
});

test('a large write goes in pieces also while nothing holds it up', async () => {
  const pieces: number[][] = [];
  const write = async (from: number, to: number) => void pieces.push([from, to]);
  await unthrottled.run((pace) => inPieces(12, pace, write, 5));
  expect(pieces).toEqual([
    [0, 5],
    [5, 10],
    [10, 12],
  ]);
});
