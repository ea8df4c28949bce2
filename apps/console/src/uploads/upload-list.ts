import type { UploadBody } from '@sluice/contract';

const stages = ['waiting', 'extracting', 'embedding', 'publishing', 'done'] as const;

export function isFinal({ state }: Pick<UploadBody, 'state'>): boolean {
  return state !== 'queued' && state !== 'processing';
}

/**
 * Whether `next` is what was known before `current`. Events and polled lists overtake each other; attempts only grow, and within
 * one an upload only moves forward, so whatever is behind is late.
 */
function isStale(current: UploadBody, next: UploadBody): boolean {
  if (next.attempts !== current.attempts) return next.attempts < current.attempts;
  if (isFinal(current) !== isFinal(next)) return isFinal(current);
  const step = stages.indexOf(next.stage) - stages.indexOf(current.stage);
  return step < 0 || (step === 0 && next.progress.done < current.progress.done);
}

export interface FoldOptions {
  /** It was asked for after all that is known had come. Then it counts even where it looks late: an upload that is retried starts anew. */
  newest?: boolean;
}

/** The list with a status that came in: newest upload first, each once. The same list when the status is late. */
export function foldStatus(
  list: readonly UploadBody[],
  next: UploadBody,
  { newest = false }: FoldOptions = {},
): readonly UploadBody[] {
  const current = list.find(({ id }) => id === next.id);
  if (current)
    return !newest && isStale(current, next)
      ? list
      : list.map((upload) => (upload === current ? next : upload));
  const at = list.findIndex((upload) => upload.timings.accepted_at < next.timings.accepted_at);
  return at < 0 ? [...list, next] : list.toSpliced(at, 0, next);
}

export function withoutUpload(list: readonly UploadBody[], id: string): readonly UploadBody[] {
  return list.filter((upload) => upload.id !== id);
}
