import type { IngestionDependencies } from '@sluice/ingestion';

type AttemptReport = Parameters<NonNullable<IngestionDependencies['onAttempt']>>[0];

/** Where the time of an attempt went, on the span of its job. */
export function spanAttributesOf({ code, stageMs, chunks, bytes }: AttemptReport) {
  const stages = Object.entries(stageMs).map(([stage, ms]) => [`sluice.stage.${stage}_ms`, ms]);
  return {
    ...Object.fromEntries(stages),
    'sluice.chunks': chunks,
    'sluice.bytes': bytes,
    ...(code && { 'error.type': code }),
  };
}
