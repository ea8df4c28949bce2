import type { UploadBody } from '@sluice/contract';
import { expect, it } from 'vitest';
import { readStatuses } from '../src/api/read-statuses.ts';
import { sampleUpload } from './sample-upload.ts';

/** The bytes in pieces of that many, so that events and characters are cut anywhere. */
function streamOf(text: string, pieceBytes: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += pieceBytes)
        controller.enqueue(bytes.slice(at, at + pieceBytes));
      controller.close();
    },
  });
}

const first = sampleUpload({ id: 'a', name: 'bảo đảm dự thầu.pdf' });
const last = { ...first, state: 'ready' as const };
const event = (upload: UploadBody) => `event: status\ndata: ${JSON.stringify(upload)}\n\n`;

it.each([1, 7, 100_000])(
  'reads statuses from a stream that comes in pieces of %i bytes',
  async (pieceBytes) => {
    const read: UploadBody[] = [];
    await readStatuses(streamOf(event(first) + event(last), pieceBytes), (upload) => read.push(upload));
    expect(read).toEqual([first, last]);
  },
);

it('passes over heartbeats and events of other names', async () => {
  const read: UploadBody[] = [];
  const text = `: heartbeat\n\nevent: other\ndata: no JSON\n\n${event(last)}`;
  await readStatuses(streamOf(text, 10), (upload) => read.push(upload));
  expect(read).toEqual([last]);
});

it('says nothing of an event that is cut off by the end of the stream', async () => {
  const read: UploadBody[] = [];
  await readStatuses(streamOf(event(first) + event(last).trimEnd(), 10), (upload) => read.push(upload));
  expect(read).toEqual([first]);
});
