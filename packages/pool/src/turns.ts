interface Turn {
  proceed(): void;
  refuse(error: unknown): void;
}

/** A line in which one at a time goes on, in the order of arrival. */
export class Turns {
  readonly #line: Turn[] = [];

  /** Resolves when it is one's turn. Rejects with what `aborted` makes when the signal is aborted before, or when refused. */
  wait(signal: AbortSignal | undefined, aborted: (signal: AbortSignal) => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const forget = () => signal?.removeEventListener('abort', onAbort);
      const turn: Turn = {
        proceed: () => {
          forget();
          resolve();
        },
        refuse: (error) => {
          forget();
          reject(error);
        },
      };
      const onAbort = () => {
        this.#line.splice(this.#line.indexOf(turn), 1);
        reject(aborted(signal as AbortSignal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#line.push(turn);
    });
  }

  /** False when nobody waits. */
  next(): boolean {
    const turn = this.#line.shift();
    turn?.proceed();
    return turn !== undefined;
  }

  refuseAll(error: unknown): void {
    for (const turn of this.#line.splice(0)) turn.refuse(error);
  }
}
