import { fileURLToPath } from 'node:url';
import { consoleFolder } from '@sluice/console';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { accessLog } from './middleware/access-log.ts';
import { authorize } from './middleware/authorize.ts';
import { guardOrigin } from './middleware/guard-origin.ts';
import { measure } from './middleware/measure.ts';
import { notFound, problems } from './middleware/problems.ts';
import { requestId } from './middleware/request-id.ts';
import { batchRoutes } from './routes/batches.ts';
import { collectionRoutes } from './routes/collections.ts';
import { documentRoutes } from './routes/documents.ts';
import { healthRoutes } from './routes/health.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { monitoringRoutes } from './routes/monitoring.ts';
import { qualityRoutes } from './routes/quality.ts';
import { queryRoutes } from './routes/query.ts';
import { dashboardPath, queueDashboard } from './routes/queue-dashboard.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { referenceRoutes } from './routes/reference.ts';
import { uploadRoutes } from './routes/uploads.ts';
import type { Services } from './services.ts';

const strict = {
  defaultSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  // The server speaks plain HTTP; whoever puts TLS in front decides about upgrades.
  upgradeInsecureRequests: null,
};
// Swagger UI and Bull Board style elements in place, and Bull Board starts from a script in its page.
const relaxed = {
  ...strict,
  styleSrc: ["'self'", "'unsafe-inline'"],
  scriptSrc: ["'self'", "'unsafe-inline'"],
};

/** The HTTP side of the gateway: an outside that is checked, and routes that translate. */
export function createApp(services: Services): Express {
  const { gatekeeper, log, metrics, producer, version } = services;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(requestId, measure(services.httpMetrics), accessLog(log));
  app.use(['/docs', dashboardPath], helmet({ contentSecurityPolicy: { directives: relaxed }, hsts: false }));
  app.use(
    /^\/(?!docs|admin\/queues)/,
    helmet({ contentSecurityPolicy: { directives: strict }, hsts: false }),
  );
  app.use(healthRoutes(services.checks));
  app.use(guardOrigin(gatekeeper), authorize(gatekeeper));

  app.use(referenceRoutes(version));
  app.use(express.static(fileURLToPath(consoleFolder)));
  app.use(dashboardPath, queueDashboard(producer));

  app.use('/metrics', metricsRoutes(metrics));
  app.use('/monitoring', monitoringRoutes(services));

  app.use('/v1/uploads', uploadRoutes(services));
  app.use('/v1/batches', batchRoutes(services));
  app.use('/v1/documents', documentRoutes(services));
  app.use('/v1/collections', collectionRoutes(services));
  app.use('/v1/collections', qualityRoutes(services));
  app.use('/v1/receipts', receiptRoutes(services));
  app.use('/v1/query', queryRoutes(services));
  app.use(notFound);
  app.use(problems(log));
  return app;
}
