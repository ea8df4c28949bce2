import type { AttemptProgress } from './progress-channel.ts';

const order = ['receiving', 'waiting', 'extracting', 'embedding', 'publishing', 'done'];

/**
 * Whether `a` comes after `b` in the life of one upload: a later attempt after an earlier one, within an attempt a later stage, then
 * more chunks done, then a total that has become known. Messages may overtake each other; this tells.
 */
export function isNewer(a: AttemptProgress, b: AttemptProgress): boolean {
  if (a.fence !== b.fence) return a.fence > b.fence;
  if (a.stage !== b.stage) return order.indexOf(a.stage) > order.indexOf(b.stage);
  if (a.chunksDone !== b.chunksDone) return a.chunksDone > b.chunksDone;
  return a.chunksTotal !== null && b.chunksTotal === null;
}
