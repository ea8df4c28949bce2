export interface EmbeddingsLimitOptions {
  /** Default unlimited, as for tokens. */
  requests?: number;
  tokens?: number;
  /** Milliseconds. */
  windowMs: number;
}

export interface EmbeddingsLimits {
  /** Counts the request, unless a limit is used up. @returns the headers of its answer, as OpenAI sends them */
  admit(tokens: number): { admitted: boolean; headers: Record<string, string> };
}

/** Limits over a sliding window, as a provider enforces them. */
export function createEmbeddingsLimits(options: EmbeddingsLimitOptions): EmbeddingsLimits {
  const { requests = 1_000_000, tokens = 1_000_000_000, windowMs } = options;
  let sent: { at: number; tokens: number }[] = [];
  return {
    admit(cost) {
      const now = Date.now();
      sent = sent.filter(({ at }) => at > now - windowMs);
      const used = () => sent.reduce((sum, each) => sum + each.tokens, 0);
      const admitted = sent.length < requests && used() + cost <= tokens;
      const retryAfterMs = (sent[0]?.at ?? now) + windowMs - now;
      if (admitted) sent.push({ at: now, tokens: cost });
      const reset = goDuration((sent.at(-1)?.at ?? now) + windowMs - now);
      return {
        admitted,
        headers: {
          'x-ratelimit-limit-requests': String(requests),
          'x-ratelimit-remaining-requests': String(requests - sent.length),
          'x-ratelimit-reset-requests': reset,
          'x-ratelimit-limit-tokens': String(tokens),
          'x-ratelimit-remaining-tokens': String(tokens - used()),
          'x-ratelimit-reset-tokens': reset,
          ...(!admitted && { 'retry-after-ms': String(retryAfterMs) }),
        },
      };
    },
  };
}

/** `6m0s`, `1.25s`, `20ms`. */
function goDuration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes > 0 ? `${minutes}m` : ''}${(ms - minutes * 60_000) / 1_000}s`;
}
