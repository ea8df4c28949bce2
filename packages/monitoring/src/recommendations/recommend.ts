import * as collectionRules from './collection-rules.ts';
import type { Evidence, Recommendation, Rule } from './evidence.ts';
import * as poolRules from './pool-rules.ts';
import * as serviceRules from './service-rules.ts';

const { collectionWithoutIndex, indexBuildFailed, sharedMemorySmall, indexMemorySmall } = collectionRules;
const { indexUnused, deadRows, sharedBuffersSmall } = collectionRules;
const { poolUseHigh, poolOverflowOften, poolWaitLong, fleetTooLarge } = poolRules;
const { cacheHitRateLow, answerCacheHitRateLow, pgvectorOld, queueMayEvict } = serviceRules;
const { noWorker, workerStuck, uploadsFailed } = serviceRules;

const rules: readonly Rule[] = [
  noWorker,
  workerStuck,
  fleetTooLarge,
  queueMayEvict,
  poolUseHigh,
  poolOverflowOften,
  poolWaitLong,
  collectionWithoutIndex,
  indexBuildFailed,
  sharedMemorySmall,
  indexMemorySmall,
  sharedBuffersSmall,
  cacheHitRateLow,
  deadRows,
  pgvectorOld,
  answerCacheHitRateLow,
  indexUnused,
  uploadsFailed,
];

const order: Recommendation['severity'][] = ['critical', 'warning', 'info'];

/** What an operator should look at, the worst first. */
export function recommend(evidence: Evidence): Recommendation[] {
  return rules
    .flatMap((rule) => rule(evidence))
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}
