export interface CircuitOptions {
  /** Failures in a row that open the circuit. */
  failures: number;
  /** How long it stays open, in milliseconds. Then one call may try. */
  openMs: number;
}

/** Keeps calls away from what has just failed. closed -> open -> (after `openMs`, one trial) -> closed or open again. */
export interface Circuit {
  allows(): boolean;
  succeeded(): void;
  /** Whether that has opened it. */
  failed(): boolean;
}

export function createCircuit({ failures, openMs }: CircuitOptions): Circuit {
  let inARow = 0;
  let openUntil = 0;
  return {
    allows() {
      if (inARow < failures) return true;
      const now = performance.now();
      if (now < openUntil) return false;
      // Whoever comes next waits for the outcome of this trial.
      openUntil = now + openMs;
      return true;
    },
    succeeded() {
      inARow = 0;
    },
    failed() {
      inARow += 1;
      if (inARow >= failures) openUntil = performance.now() + openMs;
      return inARow === failures;
    },
  };
}
