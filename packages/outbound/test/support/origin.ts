import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { createFetcher, type FetchedFile, type FetcherOptions, type HostRule } from '../../src/index.ts';

export interface Origin extends AsyncDisposable {
  port: number;
  /** Paths that were asked for. */
  requests: string[];
}

/** A real server on loopback that answers as it is told. */
export async function startOrigin(listener: RequestListener): Promise<Origin> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Resolves names from a table; a list is given out one answer after the other, the last one for ever. */
export function resolverOf(table: Record<string, string[]>): LookupFunction & { asked: string[] } {
  const asked: string[] = [];
  const resolve: LookupFunction = (hostname, options, callback) => {
    asked.push(hostname);
    const answers = table[hostname] ?? [];
    const address = answers.length > 1 ? answers.shift() : answers[0];
    if (!address) {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
      return void callback(error, '', 0);
    }
    const family = address.includes(':') ? 6 : 4;
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  return Object.assign(resolve, { asked });
}

export function rule(host: string, port?: number, ...ranges: string[]): HostRule {
  return { host, port, ranges };
}

export const loopback = (port: number) => rule('127.0.0.1', port, '127.0.0.1');

export interface Fetched {
  fileName: string | undefined;
  mediaType: string | undefined;
  body: string;
}

/** Fetches all of it. */
export async function fetchAll(
  url: string,
  options: Partial<FetcherOptions> & Pick<FetcherOptions, 'rules'>,
  signal = new AbortController().signal,
): Promise<Fetched> {
  const fetcher = createFetcher({
    maxBytes: 1_000_000,
    timeoutMs: 10_000,
    userAgent: 'sluice/test',
    ...options,
  });
  using file: FetchedFile = await fetcher.fetch(url, signal);
  const parts: Buffer[] = [];
  for await (const part of file.bytes) parts.push(part);
  return { fileName: file.fileName, mediaType: file.mediaType, body: Buffer.concat(parts).toString() };
}
