// Live progress of uploads. Withheld: the form of the messages, and how watchers are kept.
export { isNewer } from './is-newer.ts';
export { createPostgresProgress, type PostgresProgressOptions } from './postgres-progress.ts';
export type { AttemptProgress, ProgressChannel, ProgressListener } from './progress-channel.ts';
export { createRedisProgress, type RedisProgressOptions } from './redis-progress.ts';
