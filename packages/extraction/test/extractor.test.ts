import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createExtractor, type ExtractionError } from '../src/index.ts';
import { docxOf } from './support/archives.ts';
import { statesPdf } from './support/pdf.ts';
import { codeOf, createWorkspace, limits } from './support/workspace.ts';

const { extractor, save, read } = createWorkspace();
const long = 'Nhà thầu phải nộp hồ sơ dự thầu trước thời điểm đóng thầu. '.repeat(60_000);

describe('an extractor', () => {
  test('hands out batches only as fast as they are taken', async () => {
    const path = await save('long.txt', long);
    const iterator = extractor.extract({ path, format: 'text' })[Symbol.asyncIterator]();
    const first = await iterator.next();
    expect(first.value[0].ordinal).toBe(0);
    await sleep(300);
    // The thread waits, although nobody told it to stop: what comes next was read ahead, and is the next batch.
    const second = await iterator.next();
    expect(second.value[0].ordinal).toBe(first.value.length);
    await iterator.return?.();
  });

  test('does not count the time for which its consumer is busy', async () => {
    await using slow = createExtractor({ ...limits, timeoutMs: 2_500 });
    const extraction = slow.extract({ path: await save('long.txt', long.slice(0, 300_000)), format: 'text' });
    let chunks = 0;
    for await (const batch of extraction) {
      if (chunks === 0) await sleep(3_000);
      chunks += batch.length;
    }
    expect((await extraction.summary).chunks).toBe(chunks);
  });

  test('stops a document at the deadline and goes on with a new thread', async () => {
    await using hasty = createExtractor({ ...limits, timeoutMs: 1_500 });
    const endless = await save('a.pdf', statesPdf(400_000));
    const error = await Array.fromAsync(hasty.extract({ path: endless, format: 'pdf' })).catch(
      (it: ExtractionError) => it,
    );
    expect(error).toMatchObject({ code: 'extraction_timeout', retryable: false, details: { limit: 1_500 } });
    const next = await Array.fromAsync(hasty.extract({ path: await save('b.txt', 'Fine.'), format: 'text' }));
    expect(next.flat()[0]?.text).toBe('Fine.');
  });

  test('stops a document that needs too much memory and goes on with a new thread', async () => {
    await using small = createExtractor({ ...limits, memoryMb: 96, maxExpandedBytes: 2 ** 31 });
    const path = await save(
      'a.docx',
      await docxOf(`<w:p><w:r><w:t>${'a'.repeat(300_000_000)}</w:t></w:r></w:p>`),
    );
    const work = Array.fromAsync(small.extract({ path, format: 'docx' }));
    expect(await codeOf(work)).toBe('extraction_out_of_memory');
    const next = await Array.fromAsync(small.extract({ path: await save('b.txt', 'Fine.'), format: 'text' }));
    expect(next.flat()[0]?.text).toBe('Fine.');
  });

  test('stops at once when it is told to, with the reason given', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled by its owner');
    const extraction = extractor.extract({
      path: await save('long.txt', long),
      format: 'text',
      signal: controller.signal,
    });
    const work = (async () => {
      for await (const _ of extraction) controller.abort(reason);
    })();
    await expect(work).rejects.toBe(reason);
    await expect(extraction.summary).rejects.toBe(reason);
    expect((await read('b.txt', 'Fine.')).text).toBe('Fine.');
  });

  test('does not start what was aborted while it waited for a thread', async () => {
    const path = await save('long.txt', long);
    const holder = extractor.extract({ path, format: 'text' })[Symbol.asyncIterator]();
    await holder.next();
    const signal = AbortSignal.timeout(100);
    expect(await codeOf(Array.fromAsync(extractor.extract({ path, format: 'text', signal })))).toBe(
      signal.reason.code,
    );
    await holder.return?.();
    expect((await read('b.txt', 'Fine.')).text).toBe('Fine.');
  });

  test('frees its thread when a consumer leaves early', async () => {
    const extraction = extractor.extract({ path: await save('long.txt', long), format: 'text' });
    for await (const _ of extraction) break;
    expect(await codeOf(extraction.summary)).toBe('extractor_closed');
    expect((await read('b.txt', 'Fine.')).text).toBe('Fine.');
  });

  test('reads as many documents at a time as it has threads', async () => {
    await using pair = createExtractor({ ...limits, threads: 2 });
    const path = await save('long.txt', long);
    const open = () => pair.extract({ path, format: 'text' })[Symbol.asyncIterator]();
    const [one, two, three] = [open(), open(), open()];
    await Promise.all([one.next(), two.next()]);
    const third = three.next();
    expect(await Promise.race([third, sleep(300, 'waiting')])).toBe('waiting');
    await one.return?.();
    expect((await third).done).toBe(false);
    await Promise.all([two.return?.(), three.return?.()]);
  });

  test('reads large documents one at a time, and small ones beside them', async () => {
    await using pair = createExtractor({ ...limits, threads: 2 });
    const path = await save('huge.txt', long.slice(0, 1_000_000).repeat(18));
    const open = (signal?: AbortSignal) =>
      pair.extract({ path, format: 'text', signal })[Symbol.asyncIterator]();
    const [one, two, three] = [open(), open(AbortSignal.timeout(500)), open()];
    await one.next();
    const [second, third] = [codeOf(two.next()), three.next()];
    const small = await Array.fromAsync(pair.extract({ path: await save('b.txt', 'Fine.'), format: 'text' }));
    expect(small.flat()[0]?.text).toBe('Fine.');
    // Who gives up while waiting does not let the next one in too early.
    expect(await second).toBe(DOMException.TIMEOUT_ERR);
    expect(await Promise.race([third, sleep(300, 'waiting')])).toBe('waiting');
    await one.return?.();
    expect((await third).done).toBe(false);
    await three.return?.();
  });

  test('says that it is closed to those who read and those who wait', async () => {
    const closing = createExtractor(limits);
    const path = await save('long.txt', long);
    const reading = closing.extract({ path, format: 'text' })[Symbol.asyncIterator]();
    await reading.next();
    const waiting = codeOf(Array.fromAsync(closing.extract({ path, format: 'text' })));
    await closing.close();
    expect(await waiting).toBe('extractor_closed');
    expect(
      await codeOf(
        (async () => {
          for (;;) if ((await reading.next()).done) return 'done';
        })(),
      ),
    ).toBe('extractor_closed');
    expect(await codeOf(Array.fromAsync(closing.extract({ path, format: 'text' })))).toBe('extractor_closed');
  });

  test('tells a file that cannot be read from a broken one', async () => {
    const work = Array.fromAsync(extractor.extract({ path: '/nowhere/at/all.txt', format: 'text' }));
    await expect(work).rejects.toMatchObject({ code: 'source_unreadable', retryable: true });
  });

  test('refuses limits that are out of range', () => {
    for (const option of ['threads', 'memoryMb', 'timeoutMs', 'maxExpandedBytes', 'maxPages']) {
      expect(() => createExtractor({ ...limits, [option]: 0 })).toThrow(
        expect.objectContaining({ code: 'invalid_options', details: expect.objectContaining({ option }) }),
      );
    }
  });

  test('keeps its memory bounded for a text of 20 MB', async () => {
    await using small = createExtractor({ ...limits, memoryMb: 160, timeoutMs: 120_000 });
    const paragraph = `${'The procuring entity publishes the invitation to bid on the national network. '.repeat(8)}\n\n`;
    const path = await save('large.txt', paragraph.repeat(Math.ceil(20_000_000 / paragraph.length)));
    const before = process.memoryUsage().rss;
    let peak = before;
    let chunks = 0;
    const extraction = small.extract({ path, format: 'text' });
    for await (const batch of extraction) {
      chunks += batch.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    }
    expect((await extraction.summary).characters).toBeGreaterThan(19_900_000);
    expect(chunks).toBeGreaterThan(9_000);
    // The thread itself (V8, tokenizer tables) takes about 100 MB.
    expect(peak - before).toBeLessThan(256 * 1024 * 1024);
  }, 150_000);
});
