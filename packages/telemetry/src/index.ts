// Logs and metrics of all processes, in one form. Withheld: prom-client's default registry, which the whole process would share.

export { Registry } from 'prom-client';
export { registerCacheMetrics } from './cache-metrics.ts';
export { logEvents } from './log-events.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { registerPoolMetrics } from './pool-metrics.ts';
export { registerScalingMetrics } from './scaling-metrics.ts';
export { createSearchMetrics, type SearchOutcome, type SearchReport } from './search-metrics.ts';
