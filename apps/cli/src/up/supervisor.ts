import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../errors.ts';
import { note, paintNote } from '../terminal.ts';
import type { ServiceProcess } from './child-process.ts';

// Half a second, then twice that each time; a process that ran for a minute starts from the beginning.
const firstDelayMs = 500;
const longestDelayMs = 10_000;
const stableMs = 60_000;
const maxRestarts = 8;

export interface Supervised {
  /** Of the first start. */
  started: Promise<string | undefined>;
  /** Rejects when it keeps dying and is given up. Never resolves. */
  givenUp: Promise<never>;
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Keeps one process running. Who does not start the first time is not tried again: then something is wrong that the user
 * has to know. `start` gets the URL of the first start, so that a gateway on a free port keeps it.
 */
export function supervise(name: string, start: (url: string | undefined) => ServiceProcess): Supervised {
  const stopping = new AbortController();
  let current = start(undefined);
  const { started } = current;
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  givenUp.catch(() => {});

  async function watch(): Promise<void> {
    const url = await started.catch(() => undefined);
    let restarts = 0;
    let since = Date.now();
    for (;;) {
      const how = await current.exited;
      if (stopping.signal.aborted) return;
      restarts = Date.now() - since > stableMs ? 1 : restarts + 1;
      if (restarts > maxRestarts) {
        return reject(
          new CliError('service_failed', `the ${name} ended ${restarts} times in a row (last: ${how})`),
        );
      }
      const delay = Math.min(firstDelayMs * 2 ** (restarts - 1), longestDelayMs);
      note(
        paintNote.yellow(`The ${name} ended unexpectedly (${how}); starting it again in ${delay / 1_000} s.`),
      );
      await sleep(delay, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      since = Date.now();
      current = start(url);
    }
  }
  started.then(watch, () => {});

  return {
    started,
    givenUp,
    async stop(deadlineMs) {
      stopping.abort();
      await current.stop(deadlineMs);
    },
  };
}
