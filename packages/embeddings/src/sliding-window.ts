export interface RateLimits {
  readonly requests: number;
  readonly tokens: number;
}

/** What was sent within the last window. By `performance.now()`. */
export interface SlidingWindow {
  /** How long until a request of this many tokens fits, in milliseconds; 0 if it does now. */
  delay(tokens: number, limits: RateLimits): number;
  add(requests: number, tokens: number): void;
  total(): RateLimits;
  clear(): void;
}

/**
 * Whichever window one looks at, it never holds more than the limits allow. A token bucket would let through up to twice as much
 * in a window that begins with a full bucket.
 */
export function createSlidingWindow(windowMs: number): SlidingWindow {
  /** Oldest first. */
  let sent: { at: number; requests: number; tokens: number }[] = [];
  let requests = 0;
  let tokens = 0;

  function forgetOlderThan(at: number): void {
    let gone = 0;
    for (const each of sent) {
      if (each.at > at) break;
      requests -= each.requests;
      tokens -= each.tokens;
      gone += 1;
    }
    if (gone > 0) sent = sent.slice(gone);
  }

  return {
    delay(cost, limits) {
      const now = performance.now();
      forgetOlderThan(now - windowMs);
      const left = { requests: requests + 1, tokens: tokens + cost };
      let freeAt = now;
      for (const oldest of sent) {
        if (left.requests <= limits.requests && left.tokens <= limits.tokens) break;
        left.requests -= oldest.requests;
        left.tokens -= oldest.tokens;
        freeAt = oldest.at + windowMs;
      }
      return freeAt - now;
    },
    add(addedRequests, addedTokens) {
      const now = performance.now();
      // Here too: who shares the limits of a fleet adds for days without asking for a delay.
      forgetOlderThan(now - windowMs);
      sent.push({ at: now, requests: addedRequests, tokens: addedTokens });
      requests += addedRequests;
      tokens += addedTokens;
    },
    total() {
      forgetOlderThan(performance.now() - windowMs);
      return { requests, tokens };
    },
    clear() {
      sent = [];
      requests = 0;
      tokens = 0;
    },
  };
}
