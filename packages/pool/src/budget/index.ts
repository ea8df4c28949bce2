// Withheld: the rules of the ledger, lines and shares, and the heartbeat. A budget is made from a store, and joined.
export type { BudgetMember, BudgetStatus, ConnectionBudget } from './budget.ts';
export type { Clock, Timer } from './clock.ts';
export { createFleetBudget } from './fleet-budget.ts';
export type { FleetBudgetOptions } from './fleet-options.ts';
export type { Limit } from './limit.ts';
export { createMirroredBudget, type MirroredBudget } from './mirrored-budget.ts';
export { createPostgresStore, type PostgresStoreOptions } from './postgres-store.ts';
export { createRedisStore, type RedisScripts, type RedisStoreOptions } from './redis-store.ts';
export { createStaticBudget, type StaticBudgetOptions } from './static-budget.ts';
export type { ExchangeAnswer, ExchangeRequest, FleetStore, MemberRecord } from './store.ts';
