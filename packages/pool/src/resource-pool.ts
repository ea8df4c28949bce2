import type { Admission } from './admission.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import { backgroundTimer, type Clock } from './clock.ts';
import type { Entry } from './entry.ts';
import type { Waiter } from './waiter.ts';

/**
 * Mechanism without policy of any database: resources that are opened, lent, given back, retired and closed, and
 * borrowers who wait for them. Who may take one and who goes next is asked of the `Admission`.
 *
 * A waiter waits for *any* resource: openings are detached from who asked for them, so cancelling a waiter never cancels
 * an opening, and a hanging one holds up nobody.
 *
 * A resource: opening -> idle <-> used -> closing -> gone. `open` counts idle and used; together with those that are
 * opening and closing it never exceeds `max`, since the other side still has what is closing.
 */
export interface ResourcePoolOptions<T> {
  /** Resources that stay when they are given back. */
  core: number;
  /** Most resources at any moment. */
  max: number;
  /** Openings under way at once. */
  maxOpening: number;
  /**
   * As many in a cold pool, and beyond the core. The core then fills with as many at once as are open already: it doubles
   * with each opening time while the line outlasts it, and a burst that a few can serve opens few.
   */
  firstOpenings: number;
  /** An opening that takes longer than this does not count as under way for `maxOpening` any more, in ms. */
  slowOpeningMs: number;
  /** Resources beyond the core are opened only once heads of the line wait this long, in ms: see `Admission.wantedBeyond`. */
  overflowDelayMs: number;
  /** Between attempts after a failed opening. */
  backoff: BackoffOptions;
  /** Age at which a resource is not lent any more, in ms; called once for each, so that it can add jitter. */
  lifetimeMs(): number;
  open(): Promise<T>;
  /** Resolves when the other side has let go of it. Must not throw. */
  close(resource: T, reason: string): Promise<void>;
  onOpenFailed(error: unknown): void;
  /** What the waiters get when nothing is open and an opening failed. */
  unavailable(error: unknown): unknown;
  clock: Clock;
  /** In [0, 1). */
  random(): number;
}

export interface ResourceCounts {
  open: number;
  idle: number;
  used: number;
  opening: number;
  closing: number;
  waiting: number;
}

export class ResourcePool<T> {
  readonly #options: ResourcePoolOptions<T>;
  readonly #admission: Admission<T>;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  // The last one given back is lent first, so that the others can age and be trimmed.
  readonly #idle: Entry<T>[] = [];
  readonly #idleOverflow: Entry<T>[] = [];
  readonly #all = new Set<Entry<T>>();
  #usedCount = 0;
  /** Since somebody began to wait. */
  #mostOpen = 0;
  #core: number;
  #max: number;
  #coreOpen = 0;
  #openingCore = 0;
  #openingOverflow = 0;
  #slowOpenings = 0;
  #closing = 0;
  #generation = 0;
  #floor = 0;
  #timer: unknown;
  #timerAt = Number.POSITIVE_INFINITY;
  #drained: { error: unknown; promise: Promise<void>; resolve: () => void } | undefined;

  constructor(options: ResourcePoolOptions<T>, admission: Admission<T>) {
    this.#options = options;
    this.#admission = admission;
    this.#clock = options.clock;
    this.#backoff = new Backoff(options.backoff, options.random);
    this.#core = options.core;
    this.#max = options.max;
    admission.resize(options.core, options.max);
  }

  get core(): number {
    return this.#core;
  }

  get max(): number {
    return this.#max;
  }

  /** Why nothing is lent any more, once it drains. */
  get closedBy(): unknown {
    return this.#drained?.error;
  }

  /**
   * An idle resource for whoever may have one without waiting; expired ones are never lent. With `suits`, nothing when the
   * one that is next does not.
   */
  take(lane: string, suits?: (entry: Entry<T>, now: number) => boolean): Entry<T> | undefined {
    while (this.#idle.length > 0 && this.#admission.mayPass(lane)) {
      const entry = this.#idle.at(-1) as Entry<T>;
      const now = this.#clock.now();
      if (suits && entry.expiresAt > now && !suits(entry, now)) return undefined;
      this.#idle.pop();
      if (entry.expiresAt > now) {
        this.#lend(entry, lane, now);
        return entry;
      }
      this.#close(entry, 'expired');
    }
    return undefined;
  }

  /** Stands in line. The waiter is accepted, refused by the pool, or taken out by `cancel`. */
  wait(waiter: Waiter<T>): void {
    if (this.#drained) waiter.refuse(this.#drained.error);
    else if (this.isDown()) waiter.refuse(this.#options.unavailable(this.#backoff.lastError));
    else {
      this.#admission.enqueue(waiter);
      this.#pump(waiter.since);
    }
  }

  /** True when they stood in line until now; they are told nothing. */
  cancel(waiter: Waiter<T>): boolean {
    const removed = this.#admission.remove(waiter);
    if (removed) this.#pump();
    return removed;
  }

  /** Nothing is open, opening has failed, and it is too early to try again. */
  isDown(): boolean {
    return this.#openCount() + this.#opening() === 0 && this.retryInMs() > 0;
  }

  /** The last opening failed, and nothing is open: what is under way is an attempt to find out. */
  isProbing(): boolean {
    return this.#backoff.failing && this.#openCount() === 0;
  }

  /** The last opening has failed. */
  isFailing(): boolean {
    return this.#backoff.failing;
  }

  get lastError(): unknown {
    return this.#backoff.lastError;
  }

  /** In ms from now; 0 when an attempt may be made at once. */
  retryInMs(): number {
    return this.#backoff.retryInMs(this.#clock.now());
  }

  release(entry: Entry<T>): void {
    if (entry.state !== 'used') return;
    const now = this.#clock.now();
    this.#giveBack(entry, now);
    if (this.#drained) this.#close(entry, 'drained');
    else if (entry.expiresAt <= now) this.#close(entry, 'expired');
    else if (entry.generation < this.#generation) this.#close(entry, 'retired');
    else if (this.#openCount() >= this.#max) this.#close(entry, 'resized');
    else {
      if (!entry.overflow && this.#coreOpen > this.#core) this.#moveBeyondCore(entry);
      this.#shelve(entry, now);
    }
    this.#pump(now);
  }

  /** Closes it, whether it is idle or used. */
  discard(entry: Entry<T>, reason: string): void {
    if (entry.state === 'closed') return;
    if (entry.state === 'used') this.#giveBack(entry, this.#clock.now());
    else this.#unshelve(entry);
    this.#close(entry, reason);
    this.#pump();
  }

  /** Closes the resource if it is idle; a used one is its borrower's to give back. */
  discardIdle(resource: T, reason: string): boolean {
    const entry = [...this.#idle, ...this.#idleOverflow].find((idle) => idle.resource === resource);
    if (entry) this.discard(entry, reason);
    return entry !== undefined;
  }

  /** Everything that is open now is not lent again: idle ones are closed at once, used ones when they come back. */
  retire(reason: string): void {
    this.#generation += 1;
    this.#closeIdle(() => true, reason);
    this.#pump();
  }

  /** Closes idle ones past their lifetime. */
  closeExpired(): void {
    const now = this.#clock.now();
    this.#closeIdle((entry) => entry.expiresAt <= now, 'expired');
    this.#pump();
  }

  /** Closes those that have been idle for `idleMs`, the longest idle first, down to `keep` open ones. */
  trim(idleMs: number, keep: number): void {
    const before = this.#clock.now() - idleMs;
    let spare = this.#openCount() - keep;
    this.#closeIdle((entry) => {
      if (spare <= 0 || entry.idleSince > before) return false;
      spare -= 1;
      return true;
    }, 'idle');
  }

  /** Opens in the background until `count` are open, and keeps it so until told otherwise. At most the core. */
  keepOpen(count: number): void {
    this.#floor = count;
    this.#pump();
  }

  resize(core: number, max: number): void {
    this.#core = core;
    this.#max = max;
    this.#admission.resize(core, max);
    // With too much of the overflow in use, some of the core have to go for it.
    let surplus = Math.max(this.#coreOpen - core, this.#openCount() - max);
    this.#closeIdle((entry) => {
      if (entry.overflow || surplus <= 0) return false;
      surplus -= 1;
      return true;
    }, 'resized');
    this.#pump();
  }

  counts(): ResourceCounts {
    return {
      open: this.#openCount(),
      idle: this.#idle.length + this.#idleOverflow.length,
      used: this.#usedCount,
      opening: this.#opening(),
      closing: this.#closing,
      waiting: this.#admission.waiting(),
    };
  }

  /** Those that are lent. */
  used(): Iterable<Entry<T>> {
    return [...this.#all].filter(({ state }) => state === 'used');
  }

  /** Nothing more is lent; waiters are refused with `error`; resolves when all resources are back and closed. */
  drain(error: unknown): Promise<void> {
    if (this.#drained) return this.#drained.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#drained = { error, promise, resolve };
    this.#clock.clearTimeout(this.#timer);
    this.#refuseAll(error);
    this.#closeIdle(() => true, 'drained');
    this.#settleDrain();
    return promise;
  }

  #openCount(): number {
    return this.#idle.length + this.#idleOverflow.length + this.#usedCount;
  }

  #opening(): number {
    return this.#openingCore + this.#openingOverflow;
  }

  /** Openings to count on: a slow one is nobody's hope any more where others show that it could be quick. */
  #promising(): number {
    return this.#openCount() > 0 ? this.#opening() - this.#slowOpenings : this.#opening();
  }

  /** Openings that may still be begun, in the core or beyond it. */
  #room(overflow: boolean): number {
    const underWay = this.#opening() - this.#slowOpenings;
    const total = this.#openCount() + this.#opening() + this.#closing;
    return Math.min(this.#openingsAtOnce(overflow) - underWay, this.#max - total);
  }

  #openingsAtOnce(overflow: boolean): number {
    const { maxOpening, firstOpenings } = this.#options;
    // One attempt at a time finds out whether what failed works again.
    if (this.#backoff.failing) return 1;
    return Math.min(maxOpening, overflow ? firstOpenings : Math.max(firstOpenings, this.#openCount()));
  }

  #lend(entry: Entry<T>, lane: string, now: number): void {
    entry.state = 'used';
    entry.lane = lane;
    entry.takenAt = now;
    this.#usedCount += 1;
    this.#admission.taken(lane, entry.overflow);
  }

  #giveBack(entry: Entry<T>, now: number): void {
    this.#usedCount -= 1;
    entry.state = 'idle';
    this.#admission.returned(entry.lane, entry.overflow, now - entry.takenAt, now);
  }

  #shelve(entry: Entry<T>, now: number): void {
    entry.state = 'idle';
    entry.idleSince = now;
    (entry.overflow ? this.#idleOverflow : this.#idle).push(entry);
  }

  #unshelve(entry: Entry<T>): void {
    const stack = entry.overflow ? this.#idleOverflow : this.#idle;
    const index = stack.indexOf(entry);
    if (index >= 0) stack.splice(index, 1);
  }

  #moveToCore(entry: Entry<T>): void {
    this.#unshelve(entry);
    entry.overflow = false;
    this.#coreOpen += 1;
    this.#idle.push(entry);
  }

  #moveBeyondCore(entry: Entry<T>): void {
    entry.overflow = true;
    this.#coreOpen -= 1;
  }

  /** Takes those that match from the idle ones, the longest idle first, and closes them. */
  #closeIdle(matches: (entry: Entry<T>) => boolean, reason: string): void {
    const leaving = [...this.#idle, ...this.#idleOverflow].filter(matches);
    // All are out of reach before the first `close` is called, which may ask for another one.
    for (const entry of leaving) {
      this.#unshelve(entry);
      this.#writeOff(entry);
    }
    for (const entry of leaving) this.#letGo(entry, reason);
  }

  /** The entry is in no stack and not used any more. */
  #close(entry: Entry<T>, reason: string): void {
    this.#writeOff(entry);
    this.#letGo(entry, reason);
  }

  #writeOff(entry: Entry<T>): void {
    entry.state = 'closed';
    this.#all.delete(entry);
    if (!entry.overflow) this.#coreOpen -= 1;
    this.#closing += 1;
  }

  #letGo(entry: Entry<T>, reason: string): void {
    void this.#options.close(entry.resource, reason).then(() => {
      this.#closing -= 1;
      this.#pump();
    });
  }

  #openOne(overflow: boolean): void {
    if (overflow) this.#openingOverflow += 1;
    else this.#openingCore += 1;
    let slow = false;
    const timer = backgroundTimer(
      this.#clock,
      () => {
        slow = true;
        this.#slowOpenings += 1;
        this.#pump();
      },
      this.#options.slowOpeningMs,
    );
    const settled = () => {
      this.#clock.clearTimeout(timer);
      if (slow) this.#slowOpenings -= 1;
      if (overflow) this.#openingOverflow -= 1;
      else this.#openingCore -= 1;
    };
    this.#options.open().then(
      (resource) => {
        settled();
        this.#opened(resource);
      },
      (error) => {
        settled();
        this.#openFailed(error);
      },
    );
  }

  #opened(resource: T): void {
    this.#backoff.succeeded();
    const now = this.#clock.now();
    const entry: Entry<T> = {
      resource,
      openedAt: now,
      expiresAt: now + this.#options.lifetimeMs(),
      generation: this.#generation,
      // Whatever it was opened for, it fills a gap in the core first.
      overflow: this.#coreOpen >= this.#core,
      state: 'idle',
      lane: '',
      idleSince: now,
      takenAt: now,
    };
    this.#all.add(entry);
    const tooMany = this.#openCount() >= this.#max;
    if (!entry.overflow) this.#coreOpen += 1;
    if (this.#drained || tooMany) this.#close(entry, this.#drained ? 'drained' : 'resized');
    else this.#shelve(entry, now);
    this.#pump();
  }

  #openFailed(error: unknown): void {
    this.#backoff.failed(error, this.#clock.now());
    this.#options.onOpenFailed(error);
    // Nobody else's opening is under way for them: tell the waiters rather than let them run into their deadline.
    if (this.#openCount() === 0 && this.#opening() === 0) this.#refuseAll(this.#options.unavailable(error));
    this.#pump();
  }

  #refuseAll(error: unknown): void {
    for (const waiter of [...this.#admission.everybody()]) {
      if (this.#admission.remove(waiter)) waiter.refuse(error);
    }
  }

  /** `now`: for who has just asked the clock. */
  #pump(now = this.#clock.now()): void {
    if (this.#drained) {
      this.#settleDrain();
      return;
    }
    const growing = this.#isGrowing();
    const shedInMs = this.#admission.waiting() > 0 ? this.#admission.shed(now, growing) : undefined;
    this.#serve(this.#idleOverflow, true, now);
    this.#serve(this.#idle, false, now);
    while (this.#idleOverflow.length > 0) this.#settleOverflow(this.#idleOverflow[0] as Entry<T>);
    // Whoever was served may have drained the pool.
    if (this.#drained) return;
    const openInMs = this.#openWhatIsWanted(now);
    this.#wakeIn(Math.min(shedInMs ?? Number.POSITIVE_INFINITY, openInMs), now);
  }

  /** More is being opened than was open since somebody began to wait: not only what replaces a lost one. */
  #isGrowing(): boolean {
    if (this.#admission.waiting() === 0) this.#mostOpen = 0;
    this.#mostOpen = Math.max(this.#mostOpen, this.#openCount());
    const underWay = this.#opening() - this.#slowOpenings;
    return !this.#backoff.failing && underWay > 0 && this.#openCount() + underWay > this.#mostOpen;
  }

  #serve(stack: Entry<T>[], overflow: boolean, now: number): void {
    while (stack.length > 0) {
      const waiter = this.#admission.next(overflow);
      if (!waiter) return;
      const entry = stack.pop() as Entry<T>;
      if (entry.expiresAt <= now) {
        this.#close(entry, 'expired');
        continue;
      }
      this.#admission.remove(waiter);
      this.#lend(entry, waiter.lane, now);
      waiter.accept(entry);
    }
  }

  /** Nobody wants it: it fills a gap in the core, or goes. */
  #settleOverflow(entry: Entry<T>): void {
    if (this.#coreOpen + this.#openingCore < this.#core) {
      this.#moveToCore(entry);
      return;
    }
    this.#unshelve(entry);
    this.#close(entry, 'overflow');
  }

  /** Returns when to look again, in ms. */
  #openWhatIsWanted(now: number): number {
    const standing = this.#admission.waiting() > 0;
    if (!standing && this.#openCount() >= this.#floor) return Number.POSITIVE_INFINITY;
    // Whatever makes room looks again.
    if (this.#openCount() + this.#opening() + this.#closing >= this.#max) return Number.POSITIVE_INFINITY;
    const retryInMs = this.#backoff.retryInMs(now);
    if (retryInMs > 0) return retryInMs;
    if (this.#coreOpen + this.#openingCore < this.#core) this.#fillCore();
    if (!standing) return Number.POSITIVE_INFINITY;
    const beyond = this.#admission.wantedBeyond(now, this.#options.overflowDelayMs);
    for (let count = beyond.count - this.#promising(); count > 0 && this.#room(true) > 0; count -= 1) {
      this.#openOne(true);
    }
    return beyond.nextInMs ?? Number.POSITIVE_INFINITY;
  }

  #fillCore(): void {
    const missing = Math.min(this.#floor, this.#core) - this.#openCount() - this.#opening();
    let count = Math.max(this.#admission.wantedInCore() - this.#promising(), missing);
    while (count > 0 && this.#coreOpen + this.#openingCore < this.#core && this.#room(false) > 0) {
      this.#openOne(false);
      count -= 1;
    }
  }

  #wakeIn(ms: number, now: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    const at = now + ms;
    if (at >= this.#timerAt) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = backgroundTimer(
      this.#clock,
      () => {
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.#pump();
      },
      ms,
    );
  }

  #settleDrain(): void {
    if (this.#openCount() + this.#opening() + this.#closing === 0) this.#drained?.resolve();
  }
}
