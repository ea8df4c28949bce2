import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { bullMqQueues, type Producer } from '@sluice/queue';
import type { Router } from 'express';

export const dashboardPath = '/admin/queues';

/** Bull Board on the queues of the producer. */
export function queueDashboard(producer: Producer): Router {
  const server = new ExpressAdapter();
  server.setBasePath(dashboardPath);
  createBullBoard({
    queues: bullMqQueues(producer).map((queue) => new BullMQAdapter(queue)),
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'Sluice' } },
  });
  return server.getRouter() as Router;
}
