// Logs and metrics of all processes, in one form. Withheld: prom-client's default registry, which the whole process would share.

export { Registry } from 'prom-client';
export { registerBudgetMetrics } from './budget-metrics.ts';
export { registerCacheMetrics } from './cache-metrics.ts';
export { createDatabaseTracer } from './database-tracer.ts';
export { createDependencyChecks, type DependencyChecks } from './dependency-checks.ts';
export { registerDependencyMetrics } from './dependency-metrics.ts';
export { createEmbeddingMetrics } from './embedding-metrics.ts';
export { createHttpMetrics, type HttpMetrics } from './http-metrics.ts';
export { createHttpTracer, type HttpTracer } from './http-tracer.ts';
export { createIngestionMetrics, type IngestionMetrics } from './ingestion-metrics.ts';
export { logEvents } from './log-events.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { registerPoolMetrics } from './pool-metrics.ts';
export { registerProcessMetrics } from './process-metrics.ts';
export { registerQueueMetrics } from './queue-metrics.ts';
export { registerScalingMetrics } from './scaling-metrics.ts';
export { createSearchMetrics, type SearchOutcome, type SearchReport } from './search-metrics.ts';
export { registerStandbyMetrics } from './standby-metrics.ts';
export { annotateSpan, currentTraceparent, inTrace, startTracing, type Tracing } from './tracing.ts';
export { registerWorkerMetrics } from './worker-metrics.ts';
