import type { Call } from './call.ts';

/** One text of a call on its way. */
export interface Item {
  readonly call: Call;
  /** Which text of the call. */
  readonly index: number;
  readonly text: string;
  readonly tokens: number;
  readonly enqueuedAt: number;
  /** Failed requests that this text was part of and is held to account for. */
  failures: number;
}

export interface BatchLimits {
  readonly maxTexts: number;
  readonly maxTokens: number;
}

/** Texts of one purpose, first in first out, with a running sum of their tokens. */
interface TextQueue {
  push(items: readonly Item[]): void;
  /** Adds waiting texts to a batch up to the limits; a text over `maxTokens` gets a batch of its own. */
  fill(batch: Item[], limits: BatchLimits): void;
  /** Takes out all texts of a call that nobody waits for any more. */
  drop(call: Call): void;
  /** Whether waiting longer cannot make the next batch any larger. */
  isFull(limits: BatchLimits): boolean;
  /** When the oldest text came in, by `performance.now()`. */
  oldest(): number | undefined;
}

export function createTextQueue(): TextQueue {
  let waiting: Item[] = [];
  /** Index of the first text in `waiting`: taking from the front must not move the rest each time. */
  let head = 0;
  let tokens = 0;

  return {
    push(items) {
      for (const item of items) {
        waiting.push(item);
        tokens += item.tokens;
      }
    },
    fill(batch, limits) {
      let room = limits.maxTokens - sumTokens(batch);
      while (head < waiting.length && batch.length < limits.maxTexts) {
        const item = waiting[head] as Item;
        if (item.tokens > room && batch.length > 0) break;
        batch.push(item);
        room -= item.tokens;
        tokens -= item.tokens;
        head += 1;
      }
      if (head > 1024 || head === waiting.length) {
        waiting = waiting.slice(head);
        head = 0;
      }
    },
    drop(call) {
      waiting = waiting.slice(head).filter((item) => item.call !== call);
      head = 0;
      tokens = sumTokens(waiting);
    },
    isFull: ({ maxTexts, maxTokens }) => waiting.length - head >= maxTexts || tokens >= maxTokens,
    oldest: () => waiting[head]?.enqueuedAt,
  };
}

export function sumTokens(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + item.tokens, 0);
}
