import { fileURLToPath } from 'node:url';
import { consoleFolder } from '@sluice/console';
import express, { type Express } from 'express';
import { dashboardPath } from './dashboard-links.ts';
import { accessLog } from './middleware/access-log.ts';
import { allowOrigins } from './middleware/allow-origins.ts';
import { authenticate } from './middleware/authenticate.ts';
import { authorize } from './middleware/authorize.ts';
import { guardOrigin } from './middleware/guard-origin.ts';
import { limitBodyTime } from './middleware/limit-body-time.ts';
import { limitRequests } from './middleware/limit-requests.ts';
import { measure } from './middleware/measure.ts';
import { notFound, problems } from './middleware/problems.ts';
import { requestId } from './middleware/request-id.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { traceRequests } from './middleware/trace.ts';
import { auditRoutes } from './routes/audit.ts';
import { batchRoutes } from './routes/batches.ts';
import { collectionRoutes } from './routes/collections.ts';
import { documentRoutes } from './routes/documents.ts';
import { healthRoutes } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { monitoringRoutes } from './routes/monitoring.ts';
import { qualityRoutes } from './routes/quality.ts';
import { queryRoutes } from './routes/query.ts';
import { queueDashboard } from './routes/queue-dashboard.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { referenceRoutes } from './routes/reference.ts';
import { uploadRoutes } from './routes/uploads.ts';
import type { Services } from './services.ts';

/** The HTTP side of the gateway: an outside that is checked, and routes that translate. */
export function createApp(services: Services): Express {
  const { corsOrigins, gatekeeper, log, metrics, requests, version } = services;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('trust proxy', services.trustProxy);
  app.use(requestId, measure(services.httpMetrics), traceRequests(services.httpTracer), accessLog(log));
  app.use(securityHeaders(['/docs', dashboardPath]));
  app.use(healthRoutes(services.checks));
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use(guardOrigin(gatekeeper, corsOrigins), authenticate(gatekeeper));
  // What is refused for its scope counts, too.
  app.use(
    limitRequests(requests.meter, requests.perMinute),
    authorize,
    limitBodyTime(services.bodyTimeoutMs),
  );

  app.use(referenceRoutes(version));
  app.use(express.static(fileURLToPath(consoleFolder)));
  app.use(dashboardPath, queueDashboard(services));

  app.use('/metrics', metricsRoutes(metrics));
  app.use('/monitoring', monitoringRoutes(services));

  app.use('/v1/uploads', uploadRoutes(services));
  app.use('/v1/batches', batchRoutes(services));
  app.use('/v1/documents', documentRoutes(services));
  app.use('/v1/collections', collectionRoutes(services));
  app.use('/v1/collections', qualityRoutes(services));
  app.use('/v1/receipts', receiptRoutes(services));
  app.use('/v1/query', queryRoutes(services));
  app.use('/v1/keys', keyRoutes(services));
  app.use('/v1/audit', auditRoutes(services));
  app.use(notFound);
  app.use(problems(log));
  return app;
}
