import { backoffMs } from './backoff.ts';
import type { EmbeddingError } from './embedding-error.ts';
import type { Item } from './text-queue.ts';

/** What becomes of the texts of a failed request. */
interface RetryPlan {
  /** Their calls fail with this error. */
  readonly rejected: readonly Item[];
  /** Requests to make next, none of them empty. `alone`: no other text may join it. */
  readonly batches: readonly { readonly items: readonly Item[]; readonly alone: boolean }[];
  /** Before that. Milliseconds. */
  readonly delayMs: number;
}

interface RetryLimits {
  readonly retries: number;
  readonly firstRetryMs: number;
}

/**
 * One request carries texts of several callers, and the failure of one text must not become everybody's. So:
 * - where the error names the text at fault, only that one is held to account, and the others go again;
 * - where a request was refused or came back short as a whole, it goes again in halves, until the text at fault is alone: about
 *   2 log2(n) requests more, and the innocent get their vectors;
 * - where the provider failed twice as if a text had done it (500, no answer in time), the same, since a text that brings down a
 *   self-hosted model does so each time;
 * - where the provider was busy or away, all texts go again after a wait, in one request, until one has failed `retries` + 1 times;
 * - where nothing can help (key, dimensions, credit), all fail at once.
 */
export function planRetry(items: readonly Item[], error: EmbeddingError, limits: RetryLimits): RetryPlan {
  const culprit = error.textIndex === undefined ? undefined : items[error.textIndex];
  if (culprit !== undefined) return planWithout(culprit, items, error, limits);
  if (items.length > 1 && isAboutTexts(error)) {
    return inHalves(items, 0);
  }
  const failedBefore = items.some((item) => item.failures > 0);
  if (items.length > 1 && failedBefore && mayBeOneText(error)) {
    return inHalves(items, backoffMs(2, limits.firstRetryMs, error.retryAfterMs));
  }
  if (!error.retryable) return { rejected: items, batches: [], delayMs: 0 };
  for (const item of items) item.failures += 1;
  const rejected = items.filter((item) => item.failures > limits.retries);
  const again = items.filter((item) => item.failures <= limits.retries);
  return {
    rejected,
    batches: again.length > 0 ? [{ items: again, alone: false }] : [],
    delayMs: backoffMs(
      Math.max(1, ...again.map((item) => item.failures)),
      limits.firstRetryMs,
      error.retryAfterMs,
    ),
  };
}

function inHalves(items: readonly Item[], delayMs: number): RetryPlan {
  const half = Math.ceil(items.length / 2);
  const parts = [items.slice(0, half), items.slice(half)];
  return { rejected: [], batches: parts.map((part) => ({ items: part, alone: true })), delayMs };
}

function planWithout(
  culprit: Item,
  items: readonly Item[],
  error: EmbeddingError,
  limits: RetryLimits,
): RetryPlan {
  culprit.failures += 1;
  const hopeless = !error.retryable || culprit.failures > limits.retries;
  const others = items.filter((item) => item !== culprit);
  const batches = [
    { items: others, alone: false },
    { items: hopeless ? [] : [culprit], alone: true },
  ];
  return {
    rejected: hopeless ? [culprit] : [],
    batches: batches.filter((batch) => batch.items.length > 0),
    delayMs: backoffMs(culprit.failures, limits.firstRetryMs),
  };
}

/** Whether a request with fewer or other texts could go well: not where the model, the address or the key is wrong. */
export function isAboutTexts({ code, status, textIndex }: EmbeddingError): boolean {
  if (textIndex !== undefined || code === 'short_answer') return true;
  return code === 'provider_rejected' && [400, 413, 422].includes(status ?? 0);
}

function mayBeOneText({ code, status }: EmbeddingError): boolean {
  return status === 500 || code === 'provider_timeout';
}
