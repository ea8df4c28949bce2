import type { FakeClock } from './fake-clock.ts';

export interface FakeResource {
  readonly id: number;
}

/** An opening under way that the test, or the clock, brings to its end. */
export interface Opening {
  readonly begunAt: number;
  succeed(): void;
  fail(error?: unknown): void;
}

export interface Closing {
  readonly resource: FakeResource;
  readonly reason: string;
  finish(): void;
}

/** A side that can be asked for resources: how long each step takes is up to the test. */
export class FakeResources {
  /** How long an opening takes, in ms; 0 ends it at once, undefined leaves it to the test. */
  openMs: number | undefined = 0;
  closeMs: number | undefined = 0;
  /** Openings fail with this when they end on their own. */
  failure: unknown;
  onOpen: (() => void) | undefined;
  onClose: ((resource: FakeResource, reason: string) => void) | undefined;
  readonly openings = new Set<Opening>();
  readonly closings = new Set<Closing>();
  /** Opened and not asked to close yet. */
  readonly alive = new Set<FakeResource>();
  readonly closed: { id: number; reason: string }[] = [];
  readonly begunAt: number[] = [];
  /** Most that existed at once, in whatever state. */
  most = 0;
  #ids = 0;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** Openings so far. */
  get begun(): number {
    return this.begunAt.length;
  }

  get total(): number {
    return this.alive.size + this.openings.size + this.closings.size;
  }

  readonly open = (): Promise<FakeResource> => {
    const { promise, resolve, reject } = Promise.withResolvers<FakeResource>();
    const begunAt = this.#clock.now();
    this.begunAt.push(begunAt);
    const opening: Opening = {
      begunAt,
      succeed: () => {
        if (!this.openings.delete(opening)) return;
        this.#ids += 1;
        const resource = { id: this.#ids };
        this.alive.add(resource);
        resolve(resource);
      },
      fail: (error = new Error('refused')) => {
        if (this.openings.delete(opening)) reject(error);
      },
    };
    this.openings.add(opening);
    this.most = Math.max(this.most, this.total);
    this.onOpen?.();
    this.#after(this.openMs, () => (this.failure ? opening.fail(this.failure) : opening.succeed()));
    return promise;
  };

  readonly close = (resource: FakeResource, reason: string): Promise<void> => {
    if (!this.alive.delete(resource)) throw new Error(`resource ${resource.id} is closed twice (${reason})`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const closing: Closing = {
      resource,
      reason,
      finish: () => {
        if (!this.closings.delete(closing)) return;
        this.closed.push({ id: resource.id, reason });
        resolve();
      },
    };
    this.closings.add(closing);
    this.#after(this.closeMs, closing.finish);
    this.onClose?.(resource, reason);
    return promise;
  };

  #after(ms: number | undefined, step: () => void): void {
    if (ms === undefined) return;
    if (ms === 0) step();
    else this.#clock.setTimeout(step, ms);
  }
}
