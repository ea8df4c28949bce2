import type { Response } from 'express';
import type { Watcher } from './watcher.ts';

const keepAliveMs = 15_000;
/** How soon a client comes back whose stream broke off. */
const retryMs = 1_000;

/** Begins a stream of server-sent events and keeps it alive; `onClose` is called when it has ended, whoever ended it. */
export function openEventStream(response: Response, onClose: () => void): void {
  response.set({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  response.write(`retry: ${retryMs}\n\n`);
  const keepAlive = setInterval(() => response.write(': still here\n\n'), keepAliveMs);
  response.once('close', () => {
    clearInterval(keepAlive);
    onClose();
  });
}

export interface EventStreamOptions<T extends { id: string }> {
  watcher: Watcher<T>;
  present: (thing: T) => unknown;
  isFinal: (thing: T) => boolean;
}

/** `status` whenever the thing changes, `deleted` when it goes; ends with the final status. */
export function streamStatus<T extends { id: string }>(
  response: Response,
  first: T,
  { watcher, present, isFinal }: EventStreamOptions<T>,
): void {
  let last = '';
  const send = (thing: T | undefined) => {
    if (!thing) return void response.end(`event: deleted\ndata: {}\n\n`);
    const data = JSON.stringify(present(thing));
    if (data !== last) response.write(`event: status\ndata: ${data}\n\n`);
    last = data;
    if (isFinal(thing)) response.end();
  };
  openEventStream(response, watcher.watch(first.id, send));
  send(first);
}
