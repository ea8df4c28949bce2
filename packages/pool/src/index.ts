// The pool's public surface. Withheld: the resource pool, the lanes and the connection, so that every borrower goes
// through a lease.
export type { AcquireOptions } from './borrowing.ts';
export * from './budget/index.ts';
export type { BinaryField, BinaryRow, CopyTarget } from './copy.ts';
export type { DurationsReading } from './duration-totals.ts';
export { isTransient, PoolError, type PoolErrorCode, type PoolPicture, sqlState } from './errors.ts';
export type { PoolEvent } from './events.ts';
export type { Quantiles } from './histogram.ts';
export type { CopyOptions, Lease } from './lease.ts';
export type { Listener } from './listener.ts';
export type { LaneName, LaneOptions, PoolOptions } from './options.ts';
export type { SheddingOptions } from './overload.ts';
export { createPool, type Lane, type Pool } from './pool.ts';
export type { Queryable, QueryOptions, Result, Row } from './queryable.ts';
export * from './replicas/index.ts';
export { createServerBudget, type ServerBudget, type ServerBudgetOptions } from './server-budget.ts';
export type { LaneStatus, PoolDurations, PoolStatus } from './status.ts';
export type { PoolTracer } from './tracer.ts';
export type { Transaction, TransactionOptions } from './transaction.ts';
