import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { OutboundError } from './errors.ts';
import { type AddressCheck, addressNotAllowed } from './policy.ts';

export interface RequestOptions {
  /** Default: GET. */
  method?: 'GET' | 'POST';
  body?: string;
  headers: OutgoingHttpHeaders;
  signal: AbortSignal;
  resolve: LookupFunction;
}

/**
 * Name resolution that gives only addresses that are allowed. The connection is made to what it returns, so a name that
 * resolves to something else a moment later (DNS rebinding) gains nothing.
 */
function guardedLookup(resolve: LookupFunction, allows: AddressCheck): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const allowed = (Array.isArray(found) ? found : []).filter(({ address }) => allows(address));
      const [first] = allowed;
      if (!first) return callback(addressNotAllowed(hostname), '', 0);
      if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/** Sends a request and returns the answer as soon as its head is there. Throws what Node does, and `url_not_allowed`. */
export function openRequest(
  url: URL,
  allows: AddressCheck,
  { method = 'GET', body, headers, signal, resolve }: RequestOptions,
): Promise<IncomingMessage> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((found, failed) => {
    const sent = request(url, {
      method,
      headers,
      signal,
      lookup: guardedLookup(resolve, allows),
      // A connection of its own: one that is kept was checked for another URL.
      agent: false,
    });
    sent.once('response', found);
    sent.on('error', failed);
    // Without an error or an answer: the server has switched to another protocol.
    sent.once('close', () => failed(noAnswer()));
    sent.end(body);
  });
}

function noAnswer(): OutboundError {
  return new OutboundError('url_unreachable', 'the server of the URL cannot be reached: it gave no answer');
}
