import type { Upload } from '@sluice/store';
import type { RequestHandler } from 'express';
import { finalStates, presentUpload } from '../present.ts';
import type { Services } from '../services.ts';
import { requireUpload } from './require-upload.ts';

const keepAliveMs = 15_000;

/** Server-sent events: `status` with the upload whenever it changes, `deleted` when it goes; ends with the final one. */
export function watchUpload(services: Services): RequestHandler<{ id: string }> {
  const { watcher, catalog } = services;
  return async (request, response) => {
    const first = await requireUpload(services, request.params.id);
    response.set({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    let last = '';
    const send = (upload: Upload | undefined) => {
      if (!upload) return void response.end(`event: deleted\ndata: {}\n\n`);
      catalog.observe(upload.collectionId, upload.generation);
      const data = JSON.stringify(presentUpload(upload));
      if (data !== last) response.write(`event: status\ndata: ${data}\n\n`);
      last = data;
      if (finalStates.has(upload.state)) response.end();
    };
    const stop = watcher.watch(first.id, send);
    const keepAlive = setInterval(() => response.write(': still here\n\n'), keepAliveMs);
    response.once('close', () => {
      clearInterval(keepAlive);
      stop();
    });
    send(first);
  };
}
