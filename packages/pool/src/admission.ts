import type { Waiter } from './waiter.ts';

/** Policy: who may take a resource, and who goes next. */
export interface Admission<T> {
  resize(core: number, max: number): void;
  /** Whether a newcomer may take an idle resource of the core at once, past those who wait. */
  mayPass(lane: string): boolean;
  taken(lane: string, overflow: boolean): void;
  returned(lane: string, overflow: boolean, usedMs: number, now: number): void;
  enqueue(waiter: Waiter<T>): void;
  remove(waiter: Waiter<T>): boolean;
  /** Who gets an idle resource, still in line; undefined when nobody may take one of this kind. */
  next(overflow: boolean): Waiter<T> | undefined;
  /** How many of those in line could take a resource of the core, were it open. */
  wantedInCore(): number;
  /** The same for any resource up to `max`; only those who have waited for `delayMs` or longer, as policy has it. */
  wantedBeyond(now: number, delayMs: number): { count: number; nextInMs: number | undefined };
  /**
   * Refuses those who have waited too long for it to make sense. `growing`: more are being opened. Returns when to ask
   * again, in ms.
   */
  shed(now: number, growing: boolean): number | undefined;
  waiting(): number;
  everybody(): Iterable<Waiter<T>>;
}
