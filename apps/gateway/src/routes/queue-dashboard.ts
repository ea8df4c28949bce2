import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { bullMqQueues, type Producer } from '@sluice/queue';
import { type Express, type RequestHandler, Router } from 'express';
import { audit } from '../access/audit.ts';
import { dashboardPath } from '../dashboard-links.ts';
import type { Services } from '../services.ts';

// Jobs carry ids, so a value that is longer than this is none of ours, or an error that quotes a document.
const longestValue = 1_000;

/** As the dashboard shows it: a page of fifty jobs stays small whatever is in them. */
export function shortened(value: unknown): unknown {
  const text = JSON.stringify(value) ?? '';
  return text.length <= longestValue ? value : `${text.slice(0, longestValue)} … (${text.length} characters)`;
}

function createBoard(producer: Producer, { readOnlyMode }: { readOnlyMode: boolean }): Express {
  const server = new ExpressAdapter();
  server.setBasePath(dashboardPath);
  const queues = bullMqQueues(producer).map((queue) => {
    const adapter = new BullMQAdapter(queue, {
      readOnlyMode,
      // The id of the job is that of its upload.
      externalJobUrl: ({ id }) => ({ displayText: 'Upload', href: `/v1/uploads/${id}` }),
    });
    for (const field of ['data', 'returnValue', 'progress'] as const) adapter.setFormatter(field, shortened);
    return adapter;
  });
  createBullBoard({ queues, serverAdapter: server, options: { uiConfig: { boardTitle: 'Sluice' } } });
  const board = server.getRouter() as Express;
  board.disable('x-powered-by');
  return board;
}

/** Bull Board on the queues of the producer: with its buttons for who has the scope `admin`, and without them for who may only look. */
export function queueDashboard({ producer, pool, log }: Services): Router {
  const boards = {
    full: createBoard(producer, { readOnlyMode: false }),
    readOnly: createBoard(producer, { readOnlyMode: true }),
  };
  const router = Router();

  /** Told once it is done, and also while the database is away, when the queue may have to be paused. */
  const auditChanges: RequestHandler = (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next();
    const { method, path: target } = request;
    response.once('finish', () => {
      const details = { method, status: response.statusCode };
      audit(pool, log, request, { action: 'queue.change', target, details }).catch((error) => {
        log.error(
          { audit: true, request_id: request.id, target, ...details, err: error },
          'not in the audit log',
        );
      });
    });
    next();
  };
  router.use(auditChanges, (request, response, next) => {
    const { full, readOnly } = boards;
    (request.caller.scopes.has('admin') ? full : readOnly)(request, response, next);
  });
  return router;
}
