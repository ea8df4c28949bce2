import { setTimeout as sleep } from 'node:timers/promises';
import type { Readiness } from '@sluice/contract';
import { CliError } from '../errors.ts';
import { note } from '../terminal.ts';

const pollMs = 100;
const requestTimeoutMs = 5_000;
/** What is ready within this time need not be talked about. */
const patienceMs = 3_000;

async function ask(url: string, signal: AbortSignal): Promise<string> {
  try {
    const timeout = AbortSignal.timeout(requestTimeoutMs);
    const response = await fetch(new URL('/readyz', url), { signal: AbortSignal.any([signal, timeout]) });
    const { ready, checks } = (await response.json()) as Readiness;
    if (ready) return '';
    const failing = Object.entries(checks).filter(([, check]) => !check.ok);
    return (
      failing.map(([name, { detail }]) => (detail ? `${name} (${detail})` : name)).join(', ') || 'gateway'
    );
  } catch (error) {
    return `gateway (${(error as Error).message})`;
  }
}

/** Resolves when the gateway says that it can serve. Throws `not_ready` at the deadline, with what is not. */
export async function untilReady(url: string, deadlineMs: number, signal: AbortSignal): Promise<void> {
  const start = Date.now();
  let shown = '';
  for (;;) {
    const missing = await ask(url, signal);
    signal.throwIfAborted();
    if (missing === '') return;
    const waited = Date.now() - start;
    if (waited > deadlineMs) {
      throw new CliError('not_ready', `not ready after ${deadlineMs / 1_000} s: ${missing}`);
    }
    if (waited > patienceMs && missing !== shown) {
      note(`Waiting for: ${missing}`);
      shown = missing;
    }
    await sleep(pollMs, undefined, { signal });
  }
}
