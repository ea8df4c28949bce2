import { isIP } from 'node:net';
import { isPublicAddress, isWithin, parseRange } from './address.ts';
import { OutboundError } from './errors.ts';

/** One host that requests may go to. */
export interface HostRule {
  /** Lower case. `*`: any host; `*.example.org`: any below it. An IPv6 address stands in brackets. */
  host: string;
  /** Undefined: 80 and 443. */
  port: number | undefined;
  /** Addresses or CIDR ranges that the host may have. Empty: any public address and no other. */
  ranges: readonly string[];
}

/** Whether a connection for the URL may go to the address. */
export type AddressCheck = (address: string) => boolean;

export interface Policy {
  /** Throws `OutboundError` (`url_not_allowed`) for a URL that is refused whatever its host resolves to. */
  check(url: URL): AddressCheck;
}

const portOf = (url: URL) => Number(url.port || (url.protocol === 'https:' ? 443 : 80));

// A dot at the end says that the name is complete, and does not make it another name.
const hostOf = (url: URL) => url.hostname.toLowerCase().replace(/\.$/, '');

function matchesHost(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function notAllowed(message: string): OutboundError {
  return new OutboundError('url_not_allowed', message);
}

/** No rules: nothing is allowed. */
export function createPolicy(rules: readonly HostRule[]): Policy {
  const parsed = rules.map((rule) => ({ ...rule, ranges: rule.ranges.map(parseRange) }));

  return {
    check(url) {
      if (rules.length === 0) throw notAllowed('requests to URLs are switched off on this server');
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw notAllowed(`only http and https are allowed, not ${url.protocol.slice(0, -1)}`);
      }
      if (url.username || url.password) throw notAllowed('a URL with a user name or password is not allowed');
      const host = hostOf(url);
      const port = portOf(url);
      const ofHost = parsed.filter((rule) => matchesHost(rule.host, host));
      if (ofHost.length === 0) throw notAllowed(`the host ${host} is not among those that are allowed`);
      const matching = ofHost.filter((rule) =>
        rule.port ? rule.port === port : port === 80 || port === 443,
      );
      if (matching.length === 0) throw notAllowed(`port ${port} of ${host} is not allowed`);

      const allows: AddressCheck = (address) =>
        matching.some(({ ranges }) =>
          ranges.length > 0 ? isWithin(address, ranges) : isPublicAddress(address),
        );
      // An address in the URL is connected to without being looked up.
      const literal = host.replace(/^\[|\]$/g, '');
      if (isIP(literal) !== 0 && !allows(literal)) throw addressNotAllowed(host);
      return allows;
    },
  };
}

export function addressNotAllowed(host: string): OutboundError {
  return notAllowed(`${host} has no address that requests may go to; it has to be a public one`);
}
