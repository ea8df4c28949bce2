import type { Upload } from '@sluice/store';
import { finalStates } from './present.ts';

/**
 * Which status of an upload this is: `fence.phase.done.total`. It follows from the status alone, so every replica gives the same one
 * the same id, and ids grow over the life of an upload: whoever has seen one wants only those after it.
 */
export type StatusId = readonly [fence: number, phase: number, done: number, total: number];

const phases = { waiting: 0, extracting: 1, embedding: 2, publishing: 3 } as const;
// Back in line after an attempt comes after the attempt, and has its fence.
const queued = 4;
const ended = 5;

export function statusId({ state, stage, fence, chunksDone, chunksTotal }: Upload): StatusId {
  const total = chunksTotal === null ? 0 : chunksTotal + 1;
  if (finalStates.has(state)) return [fence, ended, chunksDone, total];
  if (state === 'queued') return [fence, queued, 0, 0];
  return [fence, phases[stage as keyof typeof phases] ?? 0, chunksDone, total];
}

export function formatStatusId(id: StatusId): string {
  return id.join('.');
}

/** Undefined for what is not an id of ours. */
export function parseStatusId(text: string | undefined): StatusId | undefined {
  if (!text || !/^\d{1,10}\.[0-5]\.\d{1,10}\.\d{1,10}$/.test(text)) return undefined;
  return text.split('.').map(Number) as unknown as StatusId;
}

/** Negative when `a` comes before `b`, 0 when they are the same. */
export function compareStatusIds(a: StatusId, b: StatusId): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}
