import type { Connection } from './connection.ts';
import { callHook } from './tracer.ts';

export interface Listener {
  close(): Promise<void>;
}

export interface ListenerOptions {
  channel: string;
  onPayload(payload: string): void;
  /** Rejects when `signal` is aborted, which it is by `close`. */
  open(onDead: () => void, signal: AbortSignal): Promise<Connection>;
  onClosed(): void;
  /** How often it is asked whether it still hears, in ms. Default 15 000. */
  checkEveryMs?: number;
  /** How long each answer may take, in ms. Default 5 000. */
  answerWithinMs?: number;
}

const maxBackoffMs = 5_000;

/**
 * Holds one connection that LISTENs on `channel`. When it breaks it is opened again with backoff, and `onPayload` gets
 * an empty payload then, since notifications may have been missed. It never sends anything of its own accord, so without
 * being asked now and then it would not notice that the network loses everything. Needs a session of its own: through a pooler in
 * transaction mode nothing arrives.
 */
export function createListener({
  channel,
  onPayload,
  open: openConnection,
  onClosed,
  checkEveryMs = 15_000,
  answerWithinMs = 5_000,
}: ListenerOptions): Listener {
  const closing = new AbortController();
  let connection: Connection | undefined;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let check: NodeJS.Timeout | undefined;

  function retry(): void {
    connection = undefined;
    clearInterval(check);
    if (closing.signal.aborted) return;
    failures += 1;
    timer = setTimeout(connect, Math.min(maxBackoffMs, 100 * 2 ** failures) * (0.5 + Math.random() / 2));
  }

  async function open(): Promise<void> {
    const opened = await openConnection(retry, closing.signal);
    if (closing.signal.aborted) return opened.close();
    connection = opened;
    opened.client.on('notification', (message) => callHook(onPayload, message.payload ?? ''));
    try {
      const signal = AbortSignal.timeout(answerWithinMs);
      await opened.query(`listen "${channel.replaceAll('"', '""')}"`, [], { signal });
    } catch {
      // Its death is noticed, and tried again, by the opener's callback; a refusal by the server is not.
      if (opened.usable) {
        await opened.close();
        retry();
      }
      return;
    }
    failures = 0;
    // When it does not answer it dies, and is opened again.
    check = setInterval(() => void opened.ping(answerWithinMs).catch(() => {}), checkEveryMs);
    check.unref();
    callHook(onPayload, '');
  }

  let pending: Promise<void> = Promise.resolve();
  function connect(): void {
    pending = open().catch(retry);
  }
  connect();

  return {
    async close() {
      closing.abort();
      clearTimeout(timer);
      clearInterval(check);
      // First, since what is under way on it may never be answered.
      await connection?.close();
      await pending;
      onClosed();
    },
  };
}
