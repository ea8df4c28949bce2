/** A position in the write-ahead log, e.g. `16/B374D848`. What was committed before it is visible on whoever has replayed it. */
export type LogPosition = string;

/** https://www.postgresql.org/docs/current/datatype-pg-lsn.html. Throws `RangeError`. */
export function parseLogPosition(position: LogPosition): bigint {
  const parts = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(position);
  if (!parts)
    throw new RangeError(`log position is ${position}: expected two hexadecimal numbers, e.g. 16/B374D848`);
  return (BigInt(`0x${parts[1]}`) << 32n) | BigInt(`0x${parts[2]}`);
}

/** How old what a replica shows is, from samples of where the primary's log ended at what time. */
export class LagClock {
  readonly #samples: { at: number; position: bigint }[] = [];
  readonly #capacity: number;

  /** `capacity` samples reach back far enough when they cover the longest lag that is asked about, and one more. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The primary's log ended at `position` at this time, in ms. */
  sample(at: number, position: bigint): void {
    this.#samples.push({ at, position });
    if (this.#samples.length > this.#capacity) this.#samples.shift();
  }

  /** Nothing is known any more of how the primary's log grows. */
  forget(): void {
    this.#samples.length = 0;
  }

  /**
   * ms; 0 when everything known of was replayed. The truth lies between this and one sampling interval less. Infinity when
   * it cannot be told: nothing was sampled, or what is missing is older than all samples.
   */
  lagMs(now: number, replayed: bigint): number {
    if (this.#samples.length === 0) return Number.POSITIVE_INFINITY;
    const missing = this.#samples.findIndex(({ position }) => position > replayed);
    if (missing < 0) return 0;
    if (missing === 0) return Number.POSITIVE_INFINITY;
    // Written some time after the sample before, so at most that old.
    return now - (this.#samples[missing - 1] as { at: number }).at;
  }
}
