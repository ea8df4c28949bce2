export interface Verdict {
  /** How many bytes of the chunk reach the server. */
  readonly pass: number;
  readonly action: 'go on' | 'cut' | 'cut at answer';
}

interface AwaitedText {
  readonly text: Buffer;
  readonly lost: 'request' | 'answer';
  /** The last bytes of each sender, for a text that comes in two chunks. */
  readonly tails: WeakMap<object, Buffer>;
}

/** Says at which byte from a client a connection is to break. Each order is carried out once. */
export class CutPlan {
  #bytesLeft: number | undefined;
  #awaited: AwaitedText | undefined;

  after(bytes: number): void {
    this.#bytesLeft = bytes;
  }

  at(text: string, lost: 'request' | 'answer'): void {
    this.#awaited = { text: Buffer.from(text), lost, tails: new WeakMap() };
  }

  clear(): void {
    this.#bytesLeft = undefined;
    this.#awaited = undefined;
  }

  judge(sender: object, chunk: Buffer): Verdict {
    return (
      this.#judgeText(sender, chunk) ?? this.#judgeLength(chunk) ?? { pass: chunk.length, action: 'go on' }
    );
  }

  #judgeText(sender: object, chunk: Buffer): Verdict | undefined {
    if (!this.#awaited) return undefined;
    const { text, lost, tails } = this.#awaited;
    const seen = Buffer.concat([tails.get(sender) ?? Buffer.alloc(0), chunk]);
    if (!seen.includes(text)) {
      tails.set(sender, seen.subarray(Math.max(0, seen.length - text.length + 1)));
      return undefined;
    }
    this.#awaited = undefined;
    return lost === 'request' ? { pass: 0, action: 'cut' } : { pass: chunk.length, action: 'cut at answer' };
  }

  #judgeLength(chunk: Buffer): Verdict | undefined {
    if (this.#bytesLeft === undefined) return undefined;
    const pass = Math.min(chunk.length, this.#bytesLeft);
    this.#bytesLeft -= pass;
    if (this.#bytesLeft > 0) return undefined;
    this.#bytesLeft = undefined;
    return { pass, action: 'cut' };
  }
}
