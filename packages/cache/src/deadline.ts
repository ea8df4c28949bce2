/**
 * Rejects when `promise` has not settled after `ms`. A process that was busy for longer finds the timer and the answer of the
 * server waiting for it at the same time, timers first; so what has arrived by then is read before anything is given up.
 */
export function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new Error(`no answer within ${ms} ms`))), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
