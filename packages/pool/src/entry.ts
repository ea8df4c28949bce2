/** One resource of a pool, and what the pool knows of it. */
export interface Entry<T> {
  readonly resource: T;
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly generation: number;
  /** Opened beyond the core: may be used by whoever waits long enough, and goes when nobody does. */
  overflow: boolean;
  state: 'idle' | 'used' | 'closed';
  lane: string;
  idleSince: number;
  takenAt: number;
}
