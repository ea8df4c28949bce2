// Withheld: how services are found and run. Tests only see where they are and how to get one of their own.
export { type RunningBrowser, startBrowser } from './browser.ts';
export { expectNoLeakedConnections } from './connection-leaks.ts';
export { describeUnless } from './describe-unless.ts';
export { describeWithServices, type Need } from './describe-with-services.ts';
export { type EmbeddedDatabase, startEmbeddedDatabase } from './embedded-database.ts';
export { type EmbeddingsServer, startEmbeddingsServer } from './embeddings-server.ts';
export { TestingError, type TestingErrorCode } from './errors.ts';
export { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './fault-proxy.ts';
export {
  promtool,
  startPgBouncer,
  startPostgres,
  startPrometheus,
  startRedis,
  startReplica,
} from './find-host.ts';
export type { TestServices } from './find-services.ts';
export { freePort } from './free-port.ts';
export { testServices } from './provided-services.ts';
export { createRandom, type Random } from './random.ts';
export { type RerankServer, startRerankServer } from './rerank-server.ts';
export type {
  PgBouncerOptions,
  PostgresOptions,
  RedisOptions,
  ReplicaOptions,
  RunningPostgres,
  RunningReplica,
  RunningService,
} from './service-host.ts';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './test-database.ts';
export { createTestRedis, type TestRedis } from './test-redis.ts';
