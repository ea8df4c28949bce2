import type { UploadBody } from '@sluice/contract';
import { countedUpTo, type PlaceInLine, type Upload } from '@sluice/store';

type Waiting = NonNullable<UploadBody['waiting']>;

// Idle workers take an upload within milliseconds, and one whose job was lost gets another within the reconciler's minute.
const suspiciousAfterMs = 15_000;

const some = (count: number) => (count >= countedUpTo ? `${countedUpTo} or more` : String(count));

/** Why an upload waits, from what the database knows: queues can be rebuilt, so they are not asked. */
export function explainWaiting(
  { createdAt, error, attempts }: Pick<Upload, 'createdAt' | 'error' | 'attempts'>,
  { ahead, underWay }: PlaceInLine,
  now = Date.now(),
): Waiting {
  if (error) {
    const tried = attempts === 1 ? 'one attempt has' : `${attempts} attempts have`;
    const detail = `${tried} failed, the last with ${error.code}; it is tried again after a pause`;
    return { reason: 'between_attempts', ahead, detail };
  }
  if (underWay > 0) {
    const detail = `${some(underWay)} are being worked on and ${some(ahead)} wait before it; more workers shorten the wait`;
    return { reason: 'workers_busy', ahead, detail };
  }
  if (now - createdAt.getTime() > suspiciousAfterMs) {
    const detail =
      'nothing is being worked on: see whether a worker runs ("sluice worker") and reaches the database and the queue';
    return { reason: 'no_worker', ahead, detail };
  }
  return { reason: 'next', ahead, detail: 'a worker takes it in a moment' };
}
