import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { OutboundError } from './errors.ts';
import { explainFailure } from './explain-failure.ts';
import { openRequest } from './open-request.ts';
import { type AddressCheck, createPolicy, type HostRule } from './policy.ts';

export interface PosterOptions {
  rules: readonly HostRule[];
  /** A URL of the operator: exactly this one may lead anywhere. */
  trustedUrl: string | undefined;
  timeoutMs: number;
  userAgent: string;
  resolve?: LookupFunction;
}

export interface PostAnswer {
  status: number;
  /** What Retry-After asks for, where it is a number of seconds. */
  retryAfterMs: number | undefined;
}

export interface Poster {
  /** Throws `OutboundError` (`url_not_allowed`) for what could never be sent. Asks nobody. */
  check(url: string): void;
  /** Sends JSON; any status is an answer, and redirects are not followed. Throws `OutboundError`, or the reason of `signal`. */
  post(
    url: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PostAnswer>;
}

/** Sends messages to where a stranger wants them, with the checks of `createFetcher`. */
export function createPoster(options: PosterOptions): Poster {
  const { rules, trustedUrl, timeoutMs, userAgent, resolve = lookup as LookupFunction } = options;
  const policy = createPolicy(rules);

  function checked(text: string): { url: URL; allows: AddressCheck } {
    const url = URL.parse(text);
    if (!url) throw new OutboundError('url_not_allowed', 'that is no URL');
    return { url, allows: text === trustedUrl ? () => true : policy.check(url) };
  }

  return {
    check: (text) => void checked(text),
    async post(text, body, headers, signal) {
      const { url, allows } = checked(text);
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        const response = await openRequest(url, allows, {
          method: 'POST',
          body,
          headers: { ...headers, 'content-type': 'application/json', 'user-agent': userAgent },
          signal: AbortSignal.any([deadline, signal]),
          resolve,
        });
        response.on('error', () => {});
        response.destroy();
        const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
        return {
          status: response.statusCode ?? 0,
          retryAfterMs: seconds >= 0 ? seconds * 1_000 : undefined,
        };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!deadline.aborted) throw explainFailure(error);
        throw new OutboundError(
          'url_timeout',
          `the server did not answer within ${timeoutMs / 1_000} seconds`,
        );
      }
    },
  };
}
