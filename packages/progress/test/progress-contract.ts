import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadState } from '@sluice/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttemptProgress, ProgressChannel } from '../src/index.ts';
import { openUploads, type Uploads } from './support/uploads.ts';

/** Two ends of one channel, as a worker and a gateway have them. */
export interface Ends extends AsyncDisposable {
  worker: ProgressChannel;
  gateway: ProgressChannel;
  /** Within this time, in ms, an announcement is heard. */
  heardWithinMs: number;
}

/** What every channel has to do, whatever carries it. */
export function progressContract(title: string, provide: (uploads: Uploads) => Promise<Ends>): void {
  describe(title, () => {
    let uploads: Uploads;
    let ends: Ends;
    beforeAll(async () => {
      uploads = await openUploads();
      ends = await provide(uploads);
    });
    afterAll(async () => {
      await ends?.[Symbol.asyncDispose]();
      await uploads?.[Symbol.asyncDispose]();
    });

    const at = (uploadId: string, fence: number, chunksDone: number): AttemptProgress => ({
      uploadId,
      fence,
      stage: 'embedding',
      chunksDone,
      chunksTotal: 10,
    });
    /** What a watcher hears, once listening has begun. */
    async function listen(uploadId: string) {
      const heard: AttemptProgress[] = [];
      let changes = 0;
      const stop = ends.gateway.watch(uploadId, {
        onProgress: (progress) => heard.push(progress),
        onChange: () => {
          changes += 1;
        },
      });
      await expect.poll(() => changes, { timeout: 5_000 }).toBeGreaterThan(0);
      return { heard, stop, changes: () => changes };
    }
    const known = async (uploadId: string) => {
      const [row] = await ends.gateway.newest(await uploads.progressOf(uploadId));
      return row && [row.fence, row.stage, row.chunksDone, row.chunksTotal];
    };

    test('a watcher hears what an attempt announces, in order and in time', async () => {
      const id = await uploads.create({ fence: 1 });
      const { heard, stop } = await listen(id);
      for (const done of [2, 5, 9]) {
        const start = performance.now();
        await ends.worker.announce(at(id, 1, done));
        await expect.poll(() => heard.at(-1)?.chunksDone, { interval: 5, timeout: 5_000 }).toBe(done);
        expect(performance.now() - start).toBeLessThan(ends.heardWithinMs);
      }
      expect(heard.map(({ chunksDone }) => chunksDone)).toEqual([2, 5, 9]);
      expect(heard[0]).toMatchObject(at(id, 1, 2));
      stop();
    });

    test('whoever comes later is told the last progress', async () => {
      const id = await uploads.create({ fence: 3 });
      await ends.worker.announce(at(id, 3, 4));
      await ends.worker.announce(at(id, 3, 7));
      expect(await known(id)).toEqual([3, 'embedding', 7, 10]);
    });

    test('an outdated attempt never overwrites a later one, for watchers and for those who ask', async () => {
      const id = await uploads.create({ fence: 6 });
      const { heard, stop } = await listen(id);
      await ends.worker.announce(at(id, 6, 1));
      await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(1);
      expect(await ends.worker.announce(at(id, 5, 9))).not.toBe(true);
      await ends.worker.announce(at(id, 6, 2));
      await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(2);
      expect(heard.map(({ fence, chunksDone }) => [fence, chunksDone])).toEqual([
        [6, 1],
        [6, 2],
      ]);
      expect(await known(id)).toEqual([6, 'embedding', 2, 10]);
      stop();
    });

    test('progress of an attempt that the row no longer has is not shown', async () => {
      const id = await uploads.create({ fence: 1 });
      await ends.worker.announce(at(id, 1, 5));
      await uploads.set(id, { fence: 2, state: 'processing' });
      expect((await known(id))?.[0]).toBe(2);
      expect((await known(id))?.[2]).not.toBe(5);
    });

    test('a change of state is heard also by those whose message was lost', async () => {
      const id = await uploads.create({ fence: 1 });
      const { changes, stop } = await listen(id);
      // The first look at the rows may come after the first message.
      await sleep(1_200);
      for (const state of ['cancelled', 'queued', 'processing', 'ready'] satisfies UploadState[]) {
        const before = changes();
        const start = performance.now();
        await uploads.set(id, { fence: 1, state });
        await expect.poll(changes, { interval: 10, timeout: 5_000 }).toBeGreaterThan(before);
        expect(performance.now() - start).toBeLessThan(1_500);
      }
      const before = changes();
      await uploads.remove(id);
      await expect.poll(changes, { timeout: 5_000 }).toBeGreaterThan(before);
      stop();
    });

    test('an announced change is heard in time', async () => {
      const id = await uploads.create({ fence: 1 });
      const { changes, stop } = await listen(id);
      await sleep(1_200);
      const before = changes();
      const start = performance.now();
      await uploads.set(id, { fence: 1, state: 'ready' });
      await ends.worker.announceChange([id]);
      await expect.poll(changes, { interval: 5, timeout: 5_000 }).toBeGreaterThan(before);
      expect(performance.now() - start).toBeLessThan(ends.heardWithinMs);
      stop();
    });

    test('each of several watchers hears, and one that has stopped does not', async () => {
      const id = await uploads.create({ fence: 1 });
      const first = await listen(id);
      const second = await listen(id);
      await ends.worker.announce(at(id, 1, 1));
      await expect.poll(() => [first.heard.length, second.heard.length], { timeout: 5_000 }).toEqual([1, 1]);
      first.stop();
      await ends.worker.announce(at(id, 1, 2));
      await expect.poll(() => second.heard.length, { timeout: 5_000 }).toBe(2);
      expect(first.heard).toHaveLength(1);
      second.stop();
    });

    test('nothing is known of uploads that nobody works on', async () => {
      expect(await ends.gateway.newest([])).toEqual([]);
      const stranger = at(randomUUID(), 1, 0);
      expect(await ends.gateway.newest([stranger])).toEqual([stranger]);
    });
  });
}
