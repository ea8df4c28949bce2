import type { Pool } from '@sluice/pool';
import type { Consumer } from '@sluice/queue';

export interface BackPressureOptions {
  pool: Pick<Pool, 'status'>;
  consumer: Pick<Consumer, 'pause' | 'resume'>;
  /** Default 200. */
  intervalMs?: number;
  /** So long has the bulk lane to be saturated before no job is taken any more, in milliseconds. Default 1 000. */
  patienceMs?: number;
  onChange(change: { paused: boolean; waiting: number }): void;
}

/**
 * Takes no more jobs while those under way wait for connections of the bulk lane: they would only hold memory and wait as well,
 * and other workers may have connections free. Resumes when nobody waits.
 */
export function startBackPressure({
  pool,
  consumer,
  intervalMs = 200,
  patienceMs = 1_000,
  onChange,
}: BackPressureOptions): Disposable {
  let saturatedSince: number | undefined;
  let paused = false;

  function look(): void {
    const waiting = pool.status().lanes.bulk?.waiting ?? 0;
    if (waiting === 0) {
      saturatedSince = undefined;
      if (paused) {
        paused = false;
        consumer.resume();
        onChange({ paused, waiting });
      }
      return;
    }
    saturatedSince ??= performance.now();
    if (paused || performance.now() - saturatedSince < patienceMs) return;
    paused = true;
    consumer.pause();
    onChange({ paused, waiting });
  }
  const timer = setInterval(look, intervalMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
