import type { Entry } from './entry.ts';
import { Member } from './line.ts';

/** A borrower who waits. */
export class Waiter<T> extends Member {
  readonly lane: string;
  readonly since: number;
  readonly accept: (entry: Entry<T>) => void;
  readonly refuse: (error: unknown) => void;

  constructor(
    lane: string,
    since: number,
    accept: (entry: Entry<T>) => void,
    refuse: (error: unknown) => void,
  ) {
    super();
    this.lane = lane;
    this.since = since;
    this.accept = accept;
    this.refuse = refuse;
  }
}
