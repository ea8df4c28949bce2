import { type Connection, openConnection } from './connection.ts';
import type { ResolvedPoolOptions } from './options.ts';

export interface Listener {
  close(): Promise<void>;
}

const maxBackoffMs = 5_000;

/**
 * Holds one connection that LISTENs on `channel`. When it breaks it is opened again with backoff, and `onPayload` gets
 * an empty payload then, since notifications may have been missed.
 */
export function createListener(
  options: ResolvedPoolOptions,
  channel: string,
  onPayload: (payload: string) => void,
  onClosed: () => void,
): Listener {
  let connection: Connection | undefined;
  let closed = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  function retry(): void {
    connection = undefined;
    if (closed) return;
    failures += 1;
    timer = setTimeout(connect, Math.min(maxBackoffMs, 100 * 2 ** failures) * (0.5 + Math.random() / 2));
  }

  async function open(): Promise<void> {
    const opened = await openConnection(options);
    if (closed) return opened.close();
    connection = opened;
    opened.client.on('notification', (message) => onPayload(message.payload ?? ''));
    opened.client.once('end', retry);
    await opened.query(`listen ${channel}`);
    failures = 0;
    onPayload('');
  }

  let pending: Promise<void> = Promise.resolve();
  function connect(): void {
    pending = open().catch(() => {
      if (connection) connection.close();
      else retry();
    });
  }
  connect();

  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await pending;
      connection?.close();
      onClosed();
    },
  };
}
