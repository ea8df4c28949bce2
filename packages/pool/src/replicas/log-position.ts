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

  constructor(capacity = 240) {
    this.#capacity = capacity;
  }

  /** The primary's log ended at `position` at this time, in ms. */
  sample(at: number, position: bigint): void {
    this.#samples.push({ at, position });
    if (this.#samples.length > this.#capacity) this.#samples.shift();
  }

  /** ms; 0 when everything known of was replayed. The truth lies between this and one sampling interval less. */
  lagMs(now: number, replayed: bigint): number {
    const missing = this.#samples.findIndex(({ position }) => position > replayed);
    if (missing < 0) return 0;
    // Written some time after the sample before, so at most that old.
    const since = this.#samples[Math.max(0, missing - 1)] as { at: number };
    return now - since.at;
  }
}
