import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, startBench } from './support/bench-of-workers.ts';

// What the trailer of a PDF says of encryption is enough: no reader can go on without a password.
const encryptedPdf = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj
4 0 obj<</Filter/Standard/V 1/R 2/O<${'28'.repeat(32)}>/U<${'41'.repeat(32)}>/P -4>>endobj
trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]>>
%%EOF`;

describeWithServices(['postgres', 'redis'], 'documents that cannot be read', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench();
    await bench.startWorker();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  test.each([
    { name: 'broken.pdf', content: '%PDF-1.7\nnothing of what follows is a PDF', code: 'broken_document' },
    { name: 'locked.pdf', content: encryptedPdf, code: 'encrypted_document' },
    { name: 'blank.txt', content: ' \n\t \n', code: 'no_text' },
    { name: 'broken.json', content: '{"a": [1, 2', code: 'broken_document' },
  ])('$name fails for good after one attempt, as $code', async ({ name, content, code }) => {
    const accepted = await bench.accept(name, content, name);
    await bench.enqueue([accepted]);
    const [upload] = await bench.settled([accepted.id]);
    expect(upload).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { code, message: expect.stringMatching(/./), stage: 'extracting', retryable: false },
    });
    expect(await bench.chunksOf(accepted.documentId)).toEqual({ rows: 0, places: 0 });
  });

  test('a readable document beside them is not held up', async () => {
    const broken = await bench.accept('broken', '%PDF-1.7\nnothing', 'broken.pdf');
    const fine = await bench.accept('fine', 'All is well.');
    await bench.enqueue([broken, fine]);
    await bench.settled([broken.id, fine.id]);
    expect(await bench.chunksOf(fine.documentId)).toEqual({ rows: 1, places: 1 });
  });
});
