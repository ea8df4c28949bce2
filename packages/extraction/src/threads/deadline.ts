/** A stopwatch that calls `expire` once it has run for `milliseconds`; it can stop and go on. */
export function createDeadline(milliseconds: number, expire: () => void) {
  let left = milliseconds;
  let started = 0;
  let timer: NodeJS.Timeout | null = null;
  return {
    run(): void {
      if (timer !== null) return;
      started = performance.now();
      timer = setTimeout(expire, left);
    },
    pause(): void {
      if (timer === null) return;
      clearTimeout(timer);
      timer = null;
      left = Math.max(0, left - (performance.now() - started));
    },
  };
}
