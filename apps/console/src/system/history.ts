import { type ReadonlySignal, signal } from '@preact/signals';
import type { PoolStatusBody } from '@sluice/contract';

// Five minutes of a sample every two seconds.
const kept = 150;

/** Samples of a lane, oldest first, as charts take them: a column each. */
export interface LaneHistory {
  /** Seconds since 1970 */
  times: readonly number[];
  checkedOut: readonly number[];
  waiting: readonly number[];
  /** Milliseconds */
  waitP95: readonly number[];
}

const empty: LaneHistory = { times: [], checkedOut: [], waiting: [], waitP95: [] };
const push = (column: readonly number[], value: number) => [...column, value].slice(-kept);

export interface History {
  lanes: ReadonlySignal<ReadonlyMap<string, LaneHistory>>;
  add(lanes: PoolStatusBody['lanes'], now?: number): void;
}

/** What the lanes of a pool have done of late. */
export function createHistory(): History {
  const lanes = signal<ReadonlyMap<string, LaneHistory>>(new Map());
  return {
    lanes,
    add(states, now = Date.now()) {
      const entries = Object.entries(states).map(([name, lane]) => {
        const past = lanes.value.get(name) ?? empty;
        return [
          name,
          {
            times: push(past.times, now / 1_000),
            checkedOut: push(past.checkedOut, lane.checked_out),
            waiting: push(past.waiting, lane.waiting),
            waitP95: push(past.waitP95, lane.acquire_wait_ms.p95),
          },
        ] as const;
      });
      lanes.value = new Map(entries);
    },
  };
}
