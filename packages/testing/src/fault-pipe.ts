import type { Socket } from 'node:net';

export interface PipeFaults {
  /** Of every byte, in milliseconds. */
  readonly delayMs: number;
  /** Whether bytes vanish at this moment. */
  readonly dropping: boolean;
}

interface Held {
  /** null is the end of the stream. */
  readonly data: Buffer | null;
  /** By `performance.now()`. */
  readonly receivedAt: number;
}

const MAX_HELD_BYTES = 1024 ** 2;

/**
 * One direction of a connection. What comes in is held until it is due, so order survives any change of the
 * delay, and the end of the stream comes after the last byte. Beyond a megabyte, or while the sink is full, the
 * source is not read. Dropping forgets what is held as well, but never the end: that one waits.
 */
export class FaultPipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #faults: PipeFaults;
  readonly #deliver: (chunk: Buffer) => void;
  #held: Held[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #swallowing = false;

  constructor(source: Socket, sink: Socket, faults: PipeFaults, deliver: (chunk: Buffer) => void) {
    this.#source = source;
    this.#sink = sink;
    this.#faults = faults;
    this.#deliver = deliver;
    source.on('data', (chunk) => this.#hold(chunk));
    source.on('end', () => this.#hold(null));
    sink.on('drain', () => this.pump());
  }

  /** Moves what can be moved; to be called after the faults have changed. */
  pump(): void {
    clearTimeout(this.#timer);
    if (this.#faults.dropping) this.#keep(this.#held.filter(({ data }) => data === null));
    else while (this.#isNextDue()) this.#deliverNext();
    if (this.#heldBytes >= MAX_HELD_BYTES || this.#isBlocked()) this.#source.pause();
    else this.#source.resume();
  }

  /** From now on everything vanishes, the end of the stream as well. */
  swallow(): void {
    this.#swallowing = true;
    this.#keep([]);
    this.pump();
  }

  #hold(data: Buffer | null): void {
    if (this.#swallowing) return;
    this.#held.push({ data, receivedAt: performance.now() });
    this.#heldBytes += data?.length ?? 0;
    this.pump();
  }

  #keep(held: Held[]): void {
    this.#held = held;
    this.#heldBytes = held.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  }

  #isNextDue(): boolean {
    const [next] = this.#held;
    // Nothing can be written to a socket that has not begun to connect.
    const unreachable = this.#sink.pending && !this.#sink.connecting;
    if (!next || unreachable || this.#isBlocked()) return false;
    const wait = next.receivedAt + this.#faults.delayMs - performance.now();
    if (wait <= 0) return true;
    this.#timer = setTimeout(() => this.pump(), Math.ceil(wait));
    return false;
  }

  #deliverNext(): void {
    const next = this.#held.shift();
    this.#heldBytes -= next?.data?.length ?? 0;
    if (next?.data) this.#deliver(next.data);
    else this.#sink.end();
  }

  #isBlocked(): boolean {
    return this.#sink.writableNeedDrain && !this.#faults.dropping && !this.#swallowing;
  }
}
