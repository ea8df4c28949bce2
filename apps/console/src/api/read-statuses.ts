import type { UploadBody } from '@sluice/contract';
import { createParser } from 'eventsource-parser';

/** Reads the events `status` of a stream up to its end; what else comes along (heartbeats, other events) is passed over. */
export async function readStatuses(
  body: ReadableStream<Uint8Array>,
  onStatus: (upload: UploadBody) => void,
  onBytes: () => void = () => {},
): Promise<void> {
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === 'status') onStatus(JSON.parse(data) as UploadBody);
    },
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    onBytes();
    parser.feed(decoder.decode(chunk.value, { stream: true }));
  }
}
