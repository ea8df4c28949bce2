/**
 * Mechanism without policy of any database: resources that are opened, lent, given back and closed. A waiter waits for
 * *any* resource: openings are detached from who asked for them, so cancelling a waiter never cancels an opening.
 *
 * Entry: opening -> idle <-> in use -> closed. `closed` is final.
 */
export interface ResourcePoolOptions<T> {
  core: number;
  overflow: number;
  open(): Promise<T>;
  close(resource: T): void;
  /** May a waiter of this lane take one more, given how many each lane holds? */
  mayTake(lane: string, held: ReadonlyMap<string, number>): boolean;
  priority(lane: string): number;
  onOpenFailed(error: unknown): void;
}

export interface Entry<T> {
  readonly resource: T;
  readonly openedAt: number;
  idleSince: number;
  lane: string;
}

interface Waiter<T> {
  lane: string;
  resolve(entry: Entry<T>): void;
  reject(error: unknown): void;
}

export interface ResourcePool<T> {
  acquire(lane: string, onWaiting: (cancel: (error: unknown) => void) => void): Promise<Entry<T>>;
  release(entry: Entry<T>, keep: boolean): void;
  /** Closes all idle resources opened before `time` (ms since start of the process). */
  retireOpenedBefore(time: number): void;
  counts(): { open: number; idle: number; inUse: number; opening: number; waiting: number };
  held(): ReadonlyMap<string, number>;
  waitingIn(lane: string): number;
  /** No more hand-outs; waiters are rejected with `error`; idle ones are closed; resolves when all are back. */
  drain(error: unknown): Promise<void>;
}

const maxBackoffMs = 1_000;

export function createResourcePool<T>(options: ResourcePoolOptions<T>): ResourcePool<T> {
  const idle: Entry<T>[] = [];
  const inUse = new Set<Entry<T>>();
  const held = new Map<string, number>();
  // A Set keeps arrival order and removes in O(1).
  const queues = new Map<string, Set<Waiter<T>>>();
  let opening = 0;
  let failures = 0;
  let backoff: NodeJS.Timeout | undefined;
  let drained: { error: unknown; done: () => void } | undefined;

  const open = () => idle.length + inUse.size;
  const lanesByPriority = () => [...queues.keys()].sort((a, b) => options.priority(a) - options.priority(b));
  const waitingCount = () => [...queues.values()].reduce((sum, queue) => sum + queue.size, 0);

  function nextWaiter(): Waiter<T> | undefined {
    for (const lane of lanesByPriority()) {
      const [first] = queues.get(lane) ?? [];
      if (first && options.mayTake(lane, held)) return first;
    }
    return undefined;
  }

  function handOver(waiter: Waiter<T>, entry: Entry<T>): void {
    queues.get(waiter.lane)?.delete(waiter);
    entry.lane = waiter.lane;
    inUse.add(entry);
    held.set(waiter.lane, (held.get(waiter.lane) ?? 0) + 1);
    waiter.resolve(entry);
  }

  function openOne(): void {
    opening += 1;
    options.open().then(
      (resource) => {
        opening -= 1;
        failures = 0;
        const now = performance.now();
        idle.push({ resource, openedAt: now, idleSince: now, lane: '' });
        pump();
      },
      (error) => {
        opening -= 1;
        options.onOpenFailed(error);
        failures += 1;
        // Nobody else's opening is under way for them: tell the waiters rather than let them run into their deadline.
        if (opening === 0 && open() === 0) {
          clearTimeout(backoff);
          backoff = undefined;
          rejectAll(error);
        } else waitToOpen();
        if (drained) settleDrain();
      },
    );
  }

  // A server that refuses does so at once, and asking again at once would be a busy loop.
  function waitToOpen(): void {
    backoff ??= setTimeout(
      () => {
        backoff = undefined;
        pump();
      },
      Math.min(maxBackoffMs, 10 * 2 ** failures),
    );
  }

  function rejectAll(error: unknown): void {
    for (const queue of queues.values()) {
      for (const waiter of queue) waiter.reject(error);
      queue.clear();
    }
  }

  function pump(): void {
    if (drained) {
      settleDrain();
      return;
    }
    for (let waiter = nextWaiter(); waiter && idle.length > 0; waiter = nextWaiter()) {
      handOver(waiter, idle.pop() as Entry<T>);
    }
    let wanted = nextWaiter() && !backoff ? waitingCount() - opening : 0;
    while (wanted > 0 && open() + opening < options.core + options.overflow) {
      openOne();
      wanted -= 1;
    }
    while (open() > options.core && idle.length > 0) options.close((idle.shift() as Entry<T>).resource);
  }

  function settleDrain(): void {
    for (const entry of idle.splice(0)) options.close(entry.resource);
    if (inUse.size === 0 && opening === 0) drained?.done();
  }

  return {
    acquire(lane, onWaiting) {
      return new Promise((resolve, reject) => {
        if (drained) return reject(drained.error);
        const queue = queues.get(lane) ?? new Set<Waiter<T>>();
        queues.set(lane, queue);
        const waiter = { lane, resolve, reject };
        queue.add(waiter);
        pump();
        if (queue.has(waiter)) {
          onWaiting((error) => {
            if (queue.delete(waiter)) reject(error);
          });
        }
      });
    },
    release(entry, keep) {
      if (!inUse.delete(entry)) return;
      held.set(entry.lane, (held.get(entry.lane) ?? 1) - 1);
      entry.idleSince = performance.now();
      if (keep && !drained) idle.push(entry);
      else options.close(entry.resource);
      pump();
    },
    retireOpenedBefore(time) {
      for (const entry of idle.filter((candidate) => candidate.openedAt < time)) {
        idle.splice(idle.indexOf(entry), 1);
        options.close(entry.resource);
      }
    },
    counts: () => ({ open: open(), idle: idle.length, inUse: inUse.size, opening, waiting: waitingCount() }),
    held: () => held,
    waitingIn: (lane) => queues.get(lane)?.size ?? 0,
    drain(error) {
      return new Promise((done) => {
        drained = { error, done };
        clearTimeout(backoff);
        rejectAll(error);
        settleDrain();
      });
    },
  };
}
