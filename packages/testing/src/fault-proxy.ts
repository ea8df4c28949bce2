import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { CutPlan } from './cut-plan.ts';
import { FaultConnection } from './fault-connection.ts';
import { withFreePort } from './free-port.ts';

export interface FaultProxyOptions {
  /** Of the server behind it. Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Of the proxy, on 127.0.0.1; a free one when not given. */
  readonly listenPort?: number;
}

export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** `url` with host and port replaced by the proxy's. */
  through(url: string): string;
  /** Connections whose client has not hung up. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /**
   * Milliseconds for every byte in each direction, also for bytes on their way; or, as `connect`, for new
   * connections before they reach the server. 0 ends it. At most 1 MiB a direction is on its way at once.
   */
  delay(ms: number | { readonly connect: number }): void;
  /**
   * Black hole: bytes in both directions vanish, sockets stay open. Neither side learns that the other hangs up.
   * New connections are accepted, as by a kernel, but reach no server.
   */
  drop(): void;
  /**
   * Hangs up on the server in all current connections, and leaves their clients open and without an answer for
   * good. New connections work.
   */
  halfOpen(): void;
  /** RST to both sides of all current connections. New ones work. */
  reset(): void;
  /** New connections are refused, current ones live on. */
  refuse(): void;
  /**
   * Cuts one connection, once: the one that sends the last of the next `bytes` bytes of all clients together. The
   * server gets exactly these and then a hang-up, the client an RST.
   */
  cutAfter(bytes: number): void;
  /**
   * Cuts the next connection whose client sends `text`, once. Either its `request` is lost: the server gets nothing
   * of the chunk that ends the text. Or its `answer` is: the server gets it, and the client an RST instead of the
   * next bytes from the server.
   */
  cutAt(text: string, lost: 'request' | 'answer'): void;
  /**
   * Ends all faults for new data and new connections, also cuts that have not happened yet. What was lost stays
   * lost; hang-ups that the black hole hid arrive now.
   */
  heal(): Promise<void>;
  /** Closes everything, on both sides. */
  [Symbol.asyncDispose](): Promise<void>;
}

const NO_FAULTS = { delayMs: 0, connectDelayMs: 0, dropping: false };

/** A TCP proxy in front of a server, with faults on demand. It understands no protocol, so TLS passes as well. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const target = { host: options.host ?? '127.0.0.1', port: options.port, noDelay: true };
  const faults = { ...NO_FAULTS, cuts: new CutPlan() };
  const connections = new Set<FaultConnection>();
  let accepted = 0;

  const onClient = (client: Socket) => {
    accepted += 1;
    const connection: FaultConnection = new FaultConnection(client, target, faults, () =>
      connections.delete(connection),
    );
    connections.add(connection);
  };
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, onClient);
  const listen = async (at: number) => {
    listener.listen({ port: at, host: '127.0.0.1', exclusive: true });
    await once(listener, 'listening');
    return at;
  };
  const change = (changed: Partial<typeof NO_FAULTS>) => {
    Object.assign(faults, changed);
    for (const connection of connections) connection.refresh();
  };
  const forEach = (act: (connection: FaultConnection) => void) => () => [...connections].forEach(act);

  const port = await withFreePort(options.listenPort, listen);
  // From here on only an accept can fail: a lost client, not a reason to end the process.
  listener.on('error', () => {});
  return {
    port,
    through: (url) => urlAt(url, port),
    get connections() {
      return [...connections].filter(({ open }) => open).length;
    },
    get accepted() {
      return accepted;
    },
    delay: (ms) => change(typeof ms === 'number' ? { delayMs: ms } : { connectDelayMs: ms.connect }),
    drop: () => change({ dropping: true }),
    halfOpen: forEach((connection) => connection.halfOpen()),
    reset: forEach((connection) => connection.reset()),
    refuse: () => void listener.close(),
    cutAfter: (bytes) => faults.cuts.after(bytes),
    cutAt: (text, lost) => faults.cuts.at(text, lost),
    async heal() {
      faults.cuts.clear();
      change(NO_FAULTS);
      if (!listener.listening) await listen(port);
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => listener.close(resolve));
      forEach((connection) => connection.destroy())();
      await closed;
    },
  };
}

function urlAt(url: string, port: number): string {
  const changed = new URL(url);
  changed.host = `127.0.0.1:${port}`;
  return changed.href;
}
