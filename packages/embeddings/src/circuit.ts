import type { EmbeddingError } from './embedding-error.ts';

interface CircuitOptions {
  /** Rounds of requests that fail one after the other before it opens. */
  openAfter: number;
  /** How long it stays open the first time, in milliseconds. */
  coolDownMs: number;
}

/**
 * Whether a provider is worth asking. Closed: it is. Open: it has failed `openAfter` rounds in a row, and whoever asks is told so at
 * once instead of holding a place in a worker through all retries. Half open, when the time is up: one request may try. If it goes
 * well the circuit closes, otherwise it opens for twice as long, up to 30 s.
 *
 * Requests that were under way at the same time are one round, so that one hiccup does not open it.
 */
export interface Circuit {
  readonly state: 'closed' | 'open' | 'half_open';
  /** Milliseconds until a request may be tried; 0 unless it is open. */
  readonly openForMs: number;
  /** The last failure, while it is not closed. */
  readonly reason: EmbeddingError | undefined;
  /** The provider has answered, be it with a refusal. */
  answered(): void;
  /** @param startedAt when the request was sent, by `performance.now()` */
  failed(error: EmbeddingError, startedAt: number): void;
}

const longestCoolDownMs = 30_000;

export function createCircuit({ openAfter, coolDownMs }: CircuitOptions): Circuit {
  let rounds = 0;
  let lastRoundAt = 0;
  let openings = 0;
  let openUntil = 0;
  let reason: EmbeddingError | undefined;

  function open(error: EmbeddingError): void {
    const now = performance.now();
    const ms = Math.min(longestCoolDownMs, coolDownMs * 2 ** openings);
    openings += 1;
    openUntil = now + Math.max(ms, Math.min(error.retryAfterMs ?? 0, longestCoolDownMs));
    reason = error;
  }

  return {
    get state() {
      if (openings === 0) return 'closed';
      return openUntil > performance.now() ? 'open' : 'half_open';
    },
    get openForMs() {
      return openings === 0 ? 0 : Math.max(0, openUntil - performance.now());
    },
    get reason() {
      return reason;
    },
    answered() {
      rounds = 0;
      openings = 0;
      reason = undefined;
    },
    failed(error, startedAt) {
      if (startedAt < lastRoundAt) return;
      lastRoundAt = performance.now();
      rounds += 1;
      if (rounds >= openAfter) open(error);
    },
  };
}

/** Whether a failure says that nobody is there, and not that something is wrong with this request or that it comes too soon. */
export function isAway({ code }: EmbeddingError): boolean {
  return code === 'provider_unavailable' || code === 'provider_timeout' || code === 'invalid_answer';
}
