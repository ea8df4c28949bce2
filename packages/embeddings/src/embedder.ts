import { type Call, createCall } from './call.ts';
import { createCircuit, isAway } from './circuit.ts';
import type { Embedder, EmbedderOptions, EmbedOptions } from './embedder-options.ts';
import { EmbeddingError } from './embedding-error.ts';
import type { EmbeddingProvider, EmbeddingPurpose } from './embedding-provider.ts';
import { estimateTokens } from './estimate-tokens.ts';
import { createRateGovernor } from './rate-governor.ts';
import { isAboutTexts, planRetry } from './retry-plan.ts';
import { createRetryQueue } from './retry-queue.ts';
import { createTextQueue, type Item, sumTokens } from './text-queue.ts';

/**
 * Gathers the texts of all calls under way into requests as large as the limits allow.
 *
 * A text is in exactly one place: in a queue, in a batch that waits for its retry, or in a request. `pump` is called whenever one
 * of these changes. It moves texts into requests while there are free slots, and otherwise sets one timer for the earliest moment
 * at which something becomes due. Calls that are settled (done, failed, cancelled) leave texts behind, which are dropped where
 * they are met; a request that nobody waits for any more is cancelled.
 */
export function createEmbedder(provider: EmbeddingProvider, options: EmbedderOptions): Embedder {
  const limits = {
    maxTexts: Math.max(1, Math.min(options.maxTexts ?? Number.POSITIVE_INFINITY, provider.limits.maxTexts)),
    maxTokens: Math.min(
      options.maxTokens ?? Number.POSITIVE_INFINITY,
      options.tokensPerMinute ?? Number.POSITIVE_INFINITY,
      provider.limits.maxTokens,
    ),
  };
  const governor = options.governor ?? createRateGovernor(options);
  const retryLimits = { retries: options.retries, firstRetryMs: options.firstRetryMs ?? 250 };
  const maxRetryAfterMs = options.maxRetryAfterMs ?? 60_000;
  const circuit = createCircuit({
    openAfter: options.openAfter ?? Math.max(3, options.retries + 1),
    coolDownMs: options.coolDownMs ?? 1_000,
  });
  // Somebody is looking at the screen while a query waits: queries go first.
  const queues = [
    { purpose: 'query' as const, queue: createTextQueue(), maxWaitMs: 0 },
    { purpose: 'document' as const, queue: createTextQueue(), maxWaitMs: options.maxWaitMs },
  ];
  const queueOf = (purpose: EmbeddingPurpose) => (purpose === 'query' ? queues[0] : queues[1])!.queue;
  const retryQueue = createRetryQueue();
  const calls = new Set<Call>();
  const requests = new Map<AbortController, { items: readonly Item[]; done: Promise<void> }>();
  let timer: NodeJS.Timeout | undefined;
  /** By `performance.now()`. */
  let pausedUntil = 0;
  let pumpQueued = false;
  let closed = false;

  function embed(
    texts: readonly string[],
    { purpose, signal, tokens }: EmbedOptions,
  ): Promise<Float32Array[]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (closed) return Promise.reject(closedError());
    if (texts.length === 0) return Promise.resolve([]);
    const refused = refusal();
    if (refused) return Promise.reject(refused);
    const { call, vectors } = createCall(texts.length, purpose, signal, (settled, complete) => {
      calls.delete(settled);
      if (!complete) abandon(settled);
    });
    calls.add(call);
    const enqueuedAt = performance.now();
    queueOf(purpose).push(
      texts.map((text, index) => {
        return {
          call,
          index,
          text,
          tokens: tokens?.[index] ?? estimateTokens(text),
          enqueuedAt,
          failures: 0,
        };
      }),
    );
    // In a microtask, so that calls made in one go share a request even where nothing waits.
    pumpSoon();
    return vectors;
  }

  function refusal(): EmbeddingError | undefined {
    const refusing = circuit.state === 'open' || (circuit.state === 'half_open' && requests.size > 0);
    return refusing ? awayError() : undefined;
  }

  function awayError(): EmbeddingError {
    // While a request is trying, nobody knows; the first wait is as good a guess as any.
    const retryAfterMs = Math.ceil(circuit.openForMs) || (options.coolDownMs ?? 1_000);
    const { reason } = circuit;
    const message = `The provider keeps failing and is left alone for ${retryAfterMs} ms. Last: ${reason?.message}`;
    return new EmbeddingError('provider_unavailable', message, {
      retryAfterMs,
      status: reason?.status,
      requestId: reason?.requestId,
      cause: reason,
    });
  }

  function abandon(call: Call): void {
    queueOf(call.purpose).drop(call);
    for (const [controller, { items }] of requests) {
      if (items.every((item) => item.call.settled)) controller.abort();
    }
    pumpSoon();
  }

  function pumpSoon(): void {
    if (pumpQueued) return;
    pumpQueued = true;
    queueMicrotask(() => {
      pumpQueued = false;
      pump();
    });
  }

  function pump(): void {
    clearTimeout(timer);
    if (closed) return;
    const now = performance.now();
    const slots = circuit.state === 'closed' ? options.concurrency : 1;
    // While all have to wait, texts gather here instead of taking a slot each.
    while (now >= pausedUntil && requests.size < slots) {
      const items = nextItems(now);
      if (items === undefined) break;
      send(items);
    }
    // With all slots taken, the end of a request is what comes next.
    if (requests.size >= slots) return;
    const dueAt = nextDue();
    if (dueAt !== undefined) timer = setTimeout(pump, Math.max(1, Math.max(dueAt, pausedUntil) - now));
  }

  function nextItems(now: number): Item[] | undefined {
    for (const { purpose, queue, maxWaitMs } of queues) {
      const retry = retryQueue.take(purpose, now, limits);
      if (retry !== undefined) {
        if (!retry.alone) queue.fill(retry.items, limits);
        return retry.items;
      }
      const oldest = queue.oldest();
      if (oldest === undefined) continue;
      if (now - oldest < maxWaitMs && !queue.isFull(limits)) continue;
      const items: Item[] = [];
      queue.fill(items, limits);
      return items;
    }
    return undefined;
  }

  function nextDue(): number | undefined {
    const retryAt = retryQueue.nextDue();
    const times = retryAt === undefined ? [] : [retryAt];
    for (const { queue, maxWaitMs } of queues) {
      const oldest = queue.oldest();
      if (oldest !== undefined) times.push(oldest + maxWaitMs);
    }
    return times.length === 0 ? undefined : Math.min(...times);
  }

  function send(items: readonly Item[]): void {
    const controller = new AbortController();
    const done = request(items, controller.signal).finally(() => {
      requests.delete(controller);
      pump();
    });
    requests.set(controller, { items, done });
  }

  async function request(items: readonly Item[], signal: AbortSignal): Promise<void> {
    const tokens = sumTokens(items);
    const askedAt = performance.now();
    const retry = items.some(({ failures }) => failures > 0);
    let startedAt = askedAt;
    const report = (error: EmbeddingError | undefined) => {
      options.onRequest?.({
        texts: items.length,
        tokens,
        durationMs: performance.now() - startedAt,
        waitedMs: startedAt - askedAt,
        retry,
        error,
      });
    };
    try {
      await governor.acquire(tokens, signal);
      startedAt = performance.now();
      const purpose = items[0]!.call.purpose;
      const texts = items.map((item) => item.text);
      const vectors = await provider.embed(texts, { purpose, signal, onWait: pause });
      circuit.answered();
      report(undefined);
      for (const [position, item] of items.entries()) item.call.resolveText(item.index, vectors[position]!);
    } catch (error) {
      // Aborted only when nobody waits for any of its texts.
      if (signal.aborted) return;
      const failure = asEmbeddingError(error);
      report(failure);
      if (failure.retryable && failure.retryAfterMs !== undefined) pause(failure.retryAfterMs);
      if (isAway(failure)) circuit.failed(failure, startedAt);
      else circuit.answered();
      if (circuit.state !== 'open') return recover(items, failure);
      // Also those whose tries are used up: that the provider is away says nothing of their texts. And before the slots are given
      // to requests that would only fail in their turn.
      for (const call of [...calls]) call.reject(awayError());
    }
  }

  /** As the provider asks, so that whoever shares its limits has to know. */
  function pause(ms: number): void {
    governor.pause(Math.min(ms, maxRetryAfterMs));
    pauseHere(ms);
  }

  function pauseHere(ms: number): void {
    pausedUntil = Math.max(pausedUntil, performance.now() + Math.min(ms, maxRetryAfterMs));
  }

  function recover(items: readonly Item[], error: EmbeddingError): void {
    const live = items.filter((item) => !item.call.settled);
    const waitTooLong = (error.retryAfterMs ?? 0) > maxRetryAfterMs;
    // `textIndex` counts in `items`, so the plan is made with all of them.
    const plan = waitTooLong
      ? { rejected: live, batches: [], delayMs: 0 }
      : planRetry(items, error, retryLimits);
    for (const item of plan.rejected) item.call.reject(forCaller(error, item));
    const dueAt = performance.now() + plan.delayMs;
    if (error.code === 'rate_limited') pauseHere(plan.delayMs);
    for (const batch of plan.batches) retryQueue.add({ ...batch, dueAt });
  }

  async function close(): Promise<void> {
    closed = true;
    clearTimeout(timer);
    for (const call of [...calls]) call.reject(closedError());
    retryQueue.clear();
    await Promise.all([...requests.values()].map(({ done }) => done));
  }

  return { embed, refusal, close };
}

function closedError(): EmbeddingError {
  return new EmbeddingError('closed', 'The embedder is closed.');
}

/** The provider's index counts in its request; the caller's counts in its call. */
function forCaller(error: EmbeddingError, item: Item): EmbeddingError {
  const { code, message, retryAfterMs, status, requestId } = error;
  const textIndex = isAboutTexts(error) ? item.index : undefined;
  return new EmbeddingError(code, message, { retryAfterMs, status, requestId, textIndex, cause: error });
}

function asEmbeddingError(error: unknown): EmbeddingError {
  if (error instanceof EmbeddingError) return error;
  return new EmbeddingError('provider_unavailable', `The provider failed: ${String(error)}`, {
    cause: error,
  });
}
