import type { Upload } from '@sluice/store';
import type { Request, RequestHandler, Response } from 'express';
import { openEventStream } from '../event-stream.ts';
import { finalStates, presentUpload } from '../present.ts';
import type { Services } from '../services.ts';
import { compareStatusIds, formatStatusId, parseStatusId, type StatusId, statusId } from '../status-id.ts';
import { requireUpload } from './require-upload.ts';

/** Writes each status that comes after what the client has seen, and the last one only while the client reads slowly. */
function createSender(response: Response, seen: StatusId | undefined): (upload: Upload | undefined) => void {
  let last = seen;
  let pending: Upload | undefined;
  function write(upload: Upload): void {
    const id = statusId(upload);
    const final = finalStates.has(upload.state);
    if (last && compareStatusIds(id, last) <= 0 && !final) return;
    last = id;
    response.write(
      `id: ${formatStatusId(id)}\nevent: status\ndata: ${JSON.stringify(presentUpload(upload))}\n\n`,
    );
    if (final) response.end();
  }
  response.on('drain', () => {
    const upload = pending;
    pending = undefined;
    if (upload && !response.writableEnded) write(upload);
  });
  return (upload) => {
    if (response.writableEnded) return;
    if (!upload) response.end(`event: deleted\ndata: {}\n\n`);
    else if (response.writableNeedDrain && !finalStates.has(upload.state)) pending = upload;
    else write(upload);
  };
}

function lastSeen(request: Request<{ id: string }>): StatusId | undefined {
  return parseStatusId(request.get('last-event-id'));
}

/**
 * Server-sent events: `status` with the upload whenever it changes, `deleted` when it goes; ends with the final one. Ids say which status
 * an event holds, so a client that comes back with `Last-Event-ID`, to whichever replica, gets what came after it. One that has
 * seen the end gets 204, which tells an EventSource to stay away.
 */
export function watchUpload(services: Services): RequestHandler<{ id: string }> {
  const { watcher, catalog } = services;
  return async (request, response) => {
    const first = await requireUpload(services, request.params.id, request.caller);
    const seen = lastSeen(request);
    if (seen && finalStates.has(first.state) && compareStatusIds(statusId(first), seen) === 0) {
      response.status(204).end();
      return;
    }
    const send = createSender(response, seen);
    const stop = watcher.watch(first.id, (upload) => {
      if (upload) catalog.observe(upload.collectionId, upload.generation);
      send(upload);
    });
    openEventStream(response, stop);
    send(first);
  };
}
