import pg from 'pg';

/** What `pg` has and its type declarations leave out. */
interface SessionKey {
  host: string;
  port: number;
  ssl: unknown;
  processID: number | null;
  secretKey: number | null;
}
interface CancelConnection {
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

/**
 * Asks the server to cancel what the session of `client` is running, over a connection of its own that takes no slot of
 * `max_connections`. Resolves when the server has closed that connection: the signal has been sent by then, so a
 * statement that is begun afterwards is not hit. Rejects when that did not happen within `timeoutMs`.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function cancelRunning(client: pg.Client, timeoutMs: number): Promise<void> {
  const { host, port, ssl, processID, secretKey } = client as unknown as SessionKey;
  return new Promise((resolve, reject) => {
    if (processID === null || secretKey === null) return reject(new Error('the session has no key'));
    const connection = new pg.Connection({ ssl } as pg.ConnectionConfig) as pg.Connection & CancelConnection;
    const { stream } = connection;
    const timer = setTimeout(() => stream.destroy(new Error('the cancel request timed out')), timeoutMs);
    timer.unref();
    let failure: Error | undefined;
    connection.on('error', (error: Error) => {
      failure = error;
    });
    connection.on('end', () => {
      clearTimeout(timer);
      if (failure) reject(failure);
      else resolve();
    });
    const send = () => connection.cancel(processID, secretKey);
    connection.on('connect', () => (ssl ? connection.requestSsl() : send()));
    connection.on('sslconnect', send);
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
  });
}
