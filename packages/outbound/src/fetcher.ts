import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { acceptEncoding, decodeBody } from './decode-body.ts';
import { OutboundError } from './errors.ts';
import { explainFailure } from './explain-failure.ts';
import { fileNameOf } from './file-name.ts';
import { openRequest } from './open-request.ts';
import { createPolicy, type HostRule } from './policy.ts';

export interface FetcherOptions {
  /** Which hosts may be asked. None: nothing is allowed. */
  rules: readonly HostRule[];
  /** Limit of a file, compressed and not. */
  maxBytes: number;
  /** From the start to the last byte. */
  timeoutMs: number;
  userAgent: string;
  maxRedirects?: number;
  /** Name resolution. Default: that of the system. */
  resolve?: LookupFunction;
}

export interface FetchedFile extends Disposable {
  fileName: string | undefined;
  mediaType: string | undefined;
  /** Throws `OutboundError` (`too_large`, `url_unreachable`, `url_timeout`, `url_refused`). */
  bytes: AsyncIterable<Buffer>;
}

export interface Fetcher {
  /** Ends with its body read or disposed of, or `signal`. Throws `OutboundError`, or the reason of `signal`. */
  fetch(url: string, signal: AbortSignal): Promise<FetchedFile>;
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url)
    throw new OutboundError(
      base ? 'url_refused' : 'url_not_allowed',
      base ? 'it redirects to what is no URL' : 'that is no URL',
    );
  return url;
}

function nextUrl(from: URL, response: IncomingMessage): URL {
  const { location } = response.headers;
  if (!location) throw new OutboundError('url_refused', 'it redirects without saying where to');
  const to = parseUrl(location, from);
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new OutboundError('url_not_allowed', 'it redirects from https to http');
  }
  return to;
}

/** Fetches files from where a stranger says they are. Every connection, also that of a redirect, is checked where it is made. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const {
    rules,
    maxBytes,
    timeoutMs,
    userAgent,
    maxRedirects = 5,
    resolve = lookup as LookupFunction,
  } = options;
  const policy = createPolicy(rules);
  const headers = { accept: '*/*', 'accept-encoding': acceptEncoding, 'user-agent': userAgent };

  async function follow(start: URL, signal: AbortSignal): Promise<{ url: URL; response: IncomingMessage }> {
    let url = start;
    for (let hops = 0; hops <= maxRedirects; hops += 1) {
      const response = await openRequest(url, policy.check(url), { headers, signal, resolve });
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return { url, response };
      response.destroy();
      if (!redirects.has(status)) {
        throw new OutboundError('url_refused', `the server answered with status ${status}`, {
          upstream_status: status,
        });
      }
      url = nextUrl(url, response);
    }
    throw new OutboundError('url_refused', `it redirects more than ${maxRedirects} times`);
  }

  function explain(error: unknown, deadline: AbortSignal, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (!deadline.aborted || error instanceof OutboundError) return explainFailure(error);
    const message = `the server did not send everything within ${timeoutMs / 1_000} seconds`;
    return new OutboundError('url_timeout', message, { limit_seconds: timeoutMs / 1_000 });
  }

  return {
    async fetch(text, signal) {
      const deadline = AbortSignal.timeout(timeoutMs);
      async function* explained(body: Readable): AsyncGenerator<Buffer> {
        try {
          yield* body;
        } catch (error) {
          throw explain(error, deadline, signal);
        }
      }
      try {
        const { url, response } = await follow(parseUrl(text), AbortSignal.any([deadline, signal]));
        const dispose = () => response.destroy();
        try {
          return {
            fileName: fileNameOf(url, response.headers['content-disposition']),
            mediaType: response.headers['content-type'],
            bytes: explained(decodeBody(response, maxBytes)),
            [Symbol.dispose]: () => void dispose(),
          };
        } catch (error) {
          dispose();
          throw error;
        }
      } catch (error) {
        throw explain(error, deadline, signal);
      }
    },
  };
}
