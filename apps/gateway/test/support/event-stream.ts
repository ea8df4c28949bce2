import type { UploadBody } from '@sluice/contract';
import { createParser } from 'eventsource-parser';

export interface StatusEvent {
  id: string | undefined;
  event: string | undefined;
  upload: UploadBody;
  receivedAt: number;
}

/** One connection to an event stream, read as it comes. */
export interface EventStream {
  status: number;
  events: StatusEvent[];
  /** In ms, as the stream asked for. */
  retry: number | undefined;
  /** Resolves when the stream has ended, or was cut. */
  ended: Promise<void>;
  cut(): void;
}

export async function openEvents(url: string, lastEventId?: string): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(url, {
    signal: abort.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  const stream: EventStream = {
    status: response.status,
    events: [],
    retry: undefined,
    ended: read(response),
    cut: () => abort.abort(),
  };
  async function read({ body }: Response): Promise<void> {
    const parser = createParser({
      onEvent: ({ id, event, data }) =>
        stream.events.push({ id, event, upload: JSON.parse(data), receivedAt: Date.now() }),
      onRetry: (ms) => {
        stream.retry = ms;
      },
    });
    try {
      for await (const text of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()))
        parser.feed(text);
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
  }
  return stream;
}
