import type { UploadBody } from '@sluice/contract';
import type { WorkReport } from '@sluice/monitoring';
import { countedUpTo, type PlaceInLine, type Upload } from '@sluice/store';

type Waiting = NonNullable<UploadBody['waiting']>;
type Worker = Pick<WorkReport, 'state' | 'concurrency' | 'healthy' | 'detail'>;

// Idle workers take an upload within milliseconds, and one whose job was lost gets another within the reconciler's minute.
const suspiciousAfterMs = 15_000;

const some = (count: number) => (count >= countedUpTo ? `${countedUpTo} or more` : String(count));
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What keeps all workers from taking anything. */
function hindrance(workers: readonly Worker[]): Omit<Waiting, 'ahead'> | undefined {
  const seen = plural(workers.length, 'worker');
  if (workers.length > 0 && workers.every(({ healthy }) => !healthy)) {
    const detail = `of ${seen} none moves on (${workers[0]?.detail ?? 'no reason known'}): restart them, their jobs go to others`;
    return { reason: 'workers_stuck', detail };
  }
  if (workers.length > 0 && workers.every(({ state }) => state === 'paused')) {
    const detail = `of ${seen} all wait for connections to the database before they take more; more workers make it worse`;
    return { reason: 'workers_paused', detail };
  }
  return undefined;
}

/** Why an upload waits, from what the database knows: queues can be rebuilt, so they are not asked. */
export function explainWaiting(
  { createdAt, error, attempts }: Pick<Upload, 'createdAt' | 'error' | 'attempts'>,
  { ahead, underWay }: PlaceInLine,
  workers: readonly Worker[],
  now = Date.now(),
): Waiting {
  if (error) {
    const tried = attempts === 1 ? 'one attempt has' : `${attempts} attempts have`;
    const detail = `${tried} failed, the last with ${error.code}; it is tried again after a pause`;
    return { reason: 'between_attempts', ahead, detail };
  }
  const hindered = hindrance(workers);
  if (hindered) return { ahead, ...hindered };
  const places = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const waitedLong = now - createdAt.getTime() > suspiciousAfterMs;
  if (workers.length === 0 && waitedLong) {
    const detail =
      'no worker was seen for 20 seconds: see whether one runs ("sluice worker") and reaches the database and the queue';
    return { reason: 'no_worker', ahead, detail };
  }
  if (underWay > 0 && (underWay >= places || !waitedLong)) {
    const who = workers.length > 0 ? ` by ${plural(workers.length, 'worker')} with ${places} places` : '';
    const detail = `${some(underWay)} are being worked on${who}, and ${some(ahead)} wait before it; more workers shorten the wait`;
    return { reason: 'workers_busy', ahead, detail };
  }
  if (waitedLong) {
    const detail =
      `${plural(workers.length, 'worker')} with ${places} places work on ${some(underWay)}, and ${some(ahead)} wait before it. Where that stays so, the workers ` +
      'may use another queue: compare their REDIS_URL and DATABASE_URL with those of the gateway. A job that was lost is made anew within RECONCILE_SECONDS';
    return { reason: 'not_taken', ahead, detail };
  }
  return { reason: 'next', ahead, detail: 'a worker takes it in a moment' };
}
