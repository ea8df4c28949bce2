import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadBody } from '@sluice/contract';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { CliError } from '../errors.ts';
import type { Client } from './client.ts';
import { RequestError } from './problem.ts';

const firstPollMs = 200;
const longestPollMs = 2_000;
// A gateway that restarts is back by then.
const patienceMs = 30_000;

const finalStates = new Set<UploadBody['state']>(['ready', 'failed', 'superseded', 'cancelled']);

export const isFinal = (upload: UploadBody) => finalStates.has(upload.state);

type OnStatus = (upload: UploadBody) => void;

const deleted = () =>
  new CliError('request_refused', 'the upload was deleted before it was done', {
    advice: ['Somebody else has removed it; upload the file again if that was not meant.'],
  });

/** Resolves with the last status heard of, final or not: the stream may break at any time. */
async function listen(client: Client, upload: UploadBody, onStatus: OnStatus): Promise<UploadBody> {
  const cut = new AbortController();
  let last = upload;
  try {
    const { body } = await client.events(upload, cut.signal);
    if (!body) return last;
    const events = body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream({ maxBufferSize: 1_048_576 }));
    for await (const { event, data } of events) {
      if (event === 'deleted') throw deleted();
      if (event !== 'status') continue;
      last = JSON.parse(data) as UploadBody;
      onStatus(last);
      if (isFinal(last)) return last;
    }
  } catch (error) {
    // Anything else that breaks the stream is answered by polling.
    if (error instanceof CliError && error.code !== 'server_unreachable' && !isTemporary(error)) throw error;
  } finally {
    cut.abort();
  }
  return last;
}

function isTemporary(error: unknown): boolean {
  return error instanceof RequestError ? error.status >= 500 : false;
}

async function poll(client: Client, upload: UploadBody, onStatus: OnStatus): Promise<UploadBody> {
  let delay = firstPollMs;
  let answeredAt = Date.now();
  for (;;) {
    try {
      const last = await client.status(upload);
      answeredAt = Date.now();
      onStatus(last);
      if (isFinal(last)) return last;
    } catch (error) {
      const unreachable = error instanceof CliError && error.code === 'server_unreachable';
      if (!(unreachable || isTemporary(error)) || Date.now() - answeredAt > patienceMs) throw error;
    }
    await sleep(delay);
    delay = Math.min(delay * 1.5, longestPollMs);
  }
}

/** Follows an upload to its end by server-sent events, and by polling where those don't get through. */
export async function followUpload(
  client: Client,
  upload: UploadBody,
  onStatus: OnStatus,
): Promise<UploadBody> {
  if (isFinal(upload)) return upload;
  const last = await listen(client, upload, onStatus);
  return isFinal(last) ? last : poll(client, last, onStatus);
}
