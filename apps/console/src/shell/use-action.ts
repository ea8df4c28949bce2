import { type Signal, useSignal } from '@preact/signals';
import type { ApiError } from '../api/api-error.ts';
import { toApiError } from '../api/to-api-error.ts';

export interface Action {
  busy: Signal<boolean>;
  error: Signal<ApiError | null>;
  /** Runs the work and keeps its error for display; true when it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
}

/** The state around something a person asked for: whether it is under way and why it failed last. */
export function useAction(): Action {
  const busy = useSignal(false);
  const error = useSignal<ApiError | null>(null);

  async function run(work: () => Promise<void>): Promise<boolean> {
    busy.value = true;
    error.value = null;
    try {
      await work();
      return true;
    } catch (cause) {
      error.value = toApiError(cause);
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, error, run };
}
