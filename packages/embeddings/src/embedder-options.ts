import type { EmbeddingError } from './embedding-error.ts';
import type { EmbeddingPurpose } from './embedding-provider.ts';
import type { RateGovernor } from './rate-governor.ts';

export interface EmbedderOptions {
  /** Texts in one request. Default: the provider's limit, which is also the most that is used. */
  maxTexts?: number;
  /** Tokens in one request. Default and most: the provider's limit, and `tokensPerMinute`. */
  maxTokens?: number;
  /**
   * How long a document's text may wait for others to share its request, in milliseconds. More means fewer, larger requests and
   * later answers. Queries never wait: they take along what is there.
   */
  maxWaitMs: number;
  /** Requests under way at once. */
  concurrency: number;
  /** Default unlimited. */
  requestsPerMinute?: number;
  /** Default unlimited. */
  tokensPerMinute?: number;
  /** In place of the one built from the two limits above, for limits shared with other processes. */
  governor?: RateGovernor;
  /** Requests to make for a text after its first one has failed of a transient cause. */
  retries: number;
  /** The wait before the first retry is at most this; it doubles with each one, up to 20 s. Milliseconds, default 250. */
  firstRetryMs?: number;
  /** A provider that asks to wait longer than this gets no retry here: the caller is told, and may come back later. Default 60 000. */
  maxRetryAfterMs?: number;
  /**
   * Rounds of requests that fail one after the other (no connection, 5xx, no answer in time, not an embeddings answer) before calls
   * fail at once, see `Circuit`. Fewer frees workers sooner, more bears longer hiccups. Default `retries` + 1, and at least 3.
   */
  openAfter?: number;
  /** How long calls fail at once the first time; it doubles with each failed try after that, up to 30 s. Milliseconds, default 1000. */
  coolDownMs?: number;
  /** Called after each request, for metrics. Must not throw. */
  onRequest?(report: EmbeddingRequestReport): void;
}

export interface EmbeddingRequestReport {
  readonly texts: number;
  /** As counted or estimated before the request. */
  readonly tokens: number;
  readonly durationMs: number;
  /** For a turn under the rate limits, before the request. */
  readonly waitedMs: number;
  /** Some of its texts have failed before. */
  readonly retry: boolean;
  /** undefined when it succeeded. */
  readonly error: EmbeddingError | undefined;
}

export interface EmbedOptions {
  readonly purpose: EmbeddingPurpose;
  /** Gives up the texts of this call; those of other calls in the same request are not affected. */
  readonly signal?: AbortSignal;
  /** Tokens of each text, where they have been counted already. Default: estimated from the length. */
  readonly tokens?: readonly number[];
}

export interface Embedder {
  /**
   * @returns one vector per text, in the order of the texts
   * @throws EmbeddingError when one of the texts cannot be embedded, or the reason of `signal`
   */
  embed(texts: readonly string[], options: EmbedOptions): Promise<Float32Array[]>;
  /** What a call with texts would be refused with at once, see `Circuit`; undefined while the provider is worth asking. */
  refusal(): EmbeddingError | undefined;
  /** Fails all calls under way with `closed`, cancels their requests and resolves when none is left. */
  close(): Promise<void>;
}
