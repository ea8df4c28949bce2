// BullMQ's own classes stay inside, except for the queues that Bull Board has to be given.
export {
  databaseConnections,
  type PostgresQueueBackend,
  type QueueBackend,
  type RedisQueueBackend,
} from './backend.ts';
export { checkQueueBackend, readEvictionPolicy } from './check-queue-backend.ts';
export {
  type Consumer,
  type ConsumerState,
  type ConsumerStatus,
  createConsumer,
  type DrainOutcome,
  type JobInHand,
} from './consumer.ts';
export type { ConsumerHooks, ConsumerOptions, JobEvent } from './consumer-options.ts';
export { QueueError, type QueueErrorCode } from './errors.ts';
export type { JobDefinition, Retention, RetryPolicy } from './job-definition.ts';
export { ingestUploadJob } from './jobs/ingest-upload.ts';
export { migrateQueue } from './migrate-queue.ts';
export { bullMqQueues, createProducer, type Producer, type ProducerOptions } from './producer.ts';
export type { EnqueueOptions, FailedJob, JobCounts, JobState } from './queue-operations.ts';
export { openRedisScripts, type RedisScripts, type RedisScriptsOptions } from './redis-scripts.ts';
export type { JobContext, JobHandler, JobProgress } from './running-job.ts';
