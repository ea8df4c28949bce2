import { type ReadonlySignal, signal } from '@preact/signals';

const firstPauseMs = 500;
const longestPauseMs = 5_000;
const answerMs = 5_000;

export interface Connection {
  /** Requests do not reach the server at the moment. */
  lost: ReadonlySignal<boolean>;
  /** Told by whoever got no answer. The server is asked until it answers; one request that broke is no lost connection yet. */
  failed(): void;
  /** Called each time when the server answers again. */
  onBack(listener: () => void): void;
}

/** Whether the server can be reached. Asks by itself only while it cannot. */
export function createConnection(): Connection {
  const lost = signal(false);
  const listeners: (() => void)[] = [];
  let asking = false;

  async function answers(): Promise<boolean> {
    try {
      await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(answerMs) });
      return true;
    } catch {
      return false;
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        window.removeEventListener('online', done);
        resolve();
      }
      window.addEventListener('online', done);
    });
  }

  async function untilBack(): Promise<void> {
    for (let ms = firstPauseMs; !(await answers()); ms = Math.min(2 * ms, longestPauseMs)) {
      lost.value = true;
      await pause(ms);
    }
    lost.value = false;
    asking = false;
    for (const listener of listeners) listener();
  }

  return {
    lost,
    failed() {
      if (asking) return;
      asking = true;
      void untilBack();
    },
    onBack: (listener) => void listeners.push(listener),
  };
}
