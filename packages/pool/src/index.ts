// The pool's public surface. Withheld: the resource pool and the connection, so that every borrower goes through a lease.
export type { Queryable, QueryOptions, Result, Row } from './connection.ts';
export type { BinaryField, BinaryRow, CopyTarget } from './copy.ts';
export { isTransient, PoolError, type PoolErrorCode, sqlState } from './errors.ts';
export type { Lease } from './lease.ts';
export type { Listener } from './listener.ts';
export type { LaneName, LaneOptions, PoolEvent, PoolOptions } from './options.ts';
export { type AcquireOptions, createPool, type Lane, type Pool } from './pool.ts';
export type { LaneStatus, PoolStatus } from './status.ts';
export type { Transaction, TransactionOptions } from './transaction.ts';
