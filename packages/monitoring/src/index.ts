// What operators are shown: who runs, what is the matter, what to change. Withheld: the single rules, which only make sense in their order.
export { type ArrivalRate, createArrivalRate } from './arrival-rate.ts';
export { type HeartbeatOptions, startHeartbeat } from './heartbeat.ts';
export { createJobDurations, type JobDurations } from './job-durations.ts';
export { createMonitor, type Monitor, type MonitorOptions } from './monitor.ts';
export { type Demand, neededWorkers, type ScalingAdvice, type ScalingRule } from './needed-workers.ts';
export { createPoolHistory, type PoolHistory, type PoolUse } from './pool-history.ts';
export { type ProcessReport, reportPool, type WorkReport } from './process-report.ts';
