/**
 * Shares reads among those who ask at the same time: each gets one that began after the call, and at most one is under way.
 * So nobody waits for longer than two of them, and however many ask, they cost one read each time.
 */
export function createFreshRead<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;

  function start(): Promise<T> {
    next = undefined;
    const started = read().finally(() => {
      if (running === started) running = undefined;
    });
    running = started;
    return started;
  }

  return () => {
    if (next) return next;
    if (!running) return start();
    next = running.then(start, start);
    return next;
  };
}
