// The mechanism without a database, for the benchmarks that put it beside other resource pools. Not for applications:
// nothing here resets or validates anything.
export { systemClock } from './clock.ts';
export type { Entry } from './entry.ts';
export { Lanes } from './lanes.ts';
export { ResourcePool } from './resource-pool.ts';
export { Waiter } from './waiter.ts';
