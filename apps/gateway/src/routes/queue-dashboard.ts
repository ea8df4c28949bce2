import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { bullMqQueues, type Producer } from '@sluice/queue';
import type { Express } from 'express';

export const dashboardPath = '/admin/queues';

/** Bull Board on the queues of the producer. */
export function queueDashboard(producer: Producer): Express {
  const server = new ExpressAdapter();
  server.setBasePath(dashboardPath);
  createBullBoard({
    queues: bullMqQueues(producer).map((queue) => new BullMQAdapter(queue)),
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'Sluice' } },
  });
  const board = server.getRouter() as Express;
  board.disable('x-powered-by');
  return board;
}
