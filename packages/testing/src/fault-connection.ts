import { Socket, type TcpNetConnectOpts } from 'node:net';
import type { CutPlan } from './cut-plan.ts';
import { FaultPipe, type PipeFaults } from './fault-pipe.ts';

export interface ConnectionFaults extends PipeFaults {
  /** From a client's connect to the one to the server, in milliseconds. */
  readonly connectDelayMs: number;
  readonly cuts: CutPlan;
}

/**
 * A client and its side of the server. It starts `waiting`, and is `linked` once it may connect to the server;
 * what the client sends before is held. `severed` is for good: the server side has ended or is ending, and what
 * either side still sends vanishes. A socket error on one side resets the other at once, but during a black hole
 * only when that is over: nobody may learn of the other's end through it.
 */
export class FaultConnection {
  readonly #client: Socket;
  readonly #server = new Socket({ allowHalfOpen: true });
  readonly #target: TcpNetConnectOpts;
  readonly #faults: ConnectionFaults;
  readonly #toServer: FaultPipe;
  readonly #toClient: FaultPipe;
  readonly #openedAt = performance.now();
  #state: 'waiting' | 'linked' | 'severed' = 'waiting';
  #connectTimer: NodeJS.Timeout | undefined;
  #broken = false;
  #cutAtAnswer = false;

  constructor(client: Socket, target: TcpNetConnectOpts, faults: ConnectionFaults, onClosed: () => void) {
    this.#client = client;
    this.#target = target;
    this.#faults = faults;
    this.#toServer = new FaultPipe(client, this.#server, faults, (chunk) => this.#sendToServer(chunk));
    this.#toClient = new FaultPipe(this.#server, client, faults, (chunk) => this.#sendToClient(chunk));
    for (const socket of [client, this.#server]) {
      socket.on('error', () => this.#breakOff());
      socket.on('close', () => {
        if (client.destroyed && this.#server.destroyed) onClosed();
      });
    }
    this.#connectWhenDue();
  }

  /** False as soon as the client has hung up, whatever became of the server side. */
  get open(): boolean {
    return !this.#client.destroyed && !this.#client.readableEnded;
  }

  /** To be called after the faults have changed. */
  refresh(): void {
    if (this.#broken) this.#breakOff();
    this.#connectWhenDue();
    this.#toServer.pump();
    this.#toClient.pump();
  }

  /** RST to both sides. */
  reset(): void {
    this.#sever();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Hangs up on the server; the client hears nothing of it. */
  halfOpen(): void {
    this.#sever();
    this.#server.destroy();
  }

  destroy(): void {
    this.#sever();
    this.#client.destroy();
    this.#server.destroy();
  }

  #sever(): void {
    clearTimeout(this.#connectTimer);
    this.#state = 'severed';
    this.#toServer.swallow();
    this.#toClient.swallow();
  }

  #breakOff(): void {
    this.#broken = true;
    if (!this.#faults.dropping) this.reset();
  }

  // The server still gets what it was sent before, then a hang-up.
  #cut(): void {
    this.#sever();
    this.#client.resetAndDestroy();
    this.#server.end();
  }

  #connectWhenDue(): void {
    clearTimeout(this.#connectTimer);
    if (this.#state !== 'waiting' || this.#faults.dropping) return;
    const wait = this.#openedAt + this.#faults.connectDelayMs - performance.now();
    if (wait > 0) {
      this.#connectTimer = setTimeout(() => this.#connectWhenDue(), Math.ceil(wait));
      return;
    }
    this.#state = 'linked';
    this.#server.connect(this.#target);
    this.#toServer.pump();
  }

  #sendToServer(chunk: Buffer): void {
    const { pass, action } = this.#faults.cuts.judge(this, chunk);
    if (pass > 0) this.#server.write(chunk.subarray(0, pass));
    if (action === 'cut at answer') this.#cutAtAnswer = true;
    if (action === 'cut') this.#cut();
  }

  #sendToClient(chunk: Buffer): void {
    if (this.#cutAtAnswer) this.#cut();
    else this.#client.write(chunk);
  }
}
