import type { RecallAtEffort } from '@sluice/store';

/**
 * The least effort that surely holds the target: the low end of its interval does. Where the sample is too small for that, or the
 * graph too poor, the least that seems to hold it and is no less than `unmeasured`; else the greatest.
 */
export function chooseEffort(
  curve: readonly RecallAtEffort[],
  target: number,
  unmeasured: number,
): RecallAtEffort {
  return (
    curve.find(({ low }) => low >= target) ??
    curve.find(({ effort, recall }) => recall >= target && effort >= unmeasured) ??
    (curve.at(-1) as RecallAtEffort)
  );
}
