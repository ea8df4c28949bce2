import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Range = [Address, number];

// What is assigned for use on the internet. The library names special ranges and takes everything else for unicast.
const globalUnicast = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

/** An address or CIDR range. Throws what the library does on anything else. */
export function parseRange(text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text) as Range;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** IPv4 in the clothes of IPv6 (`::ffff:10.0.0.1`) counts as what it is. */
function parse(text: string): Address | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}

/**
 * Whether an address is one of the public internet. Loopback, private, link-local (with the metadata services of clouds),
 * carrier-grade NAT, multicast, reserved and documentation ranges are not, nor are those of IPv6 that carry an IPv4 address
 * to be reached through a translator or tunnel (NAT64, 6to4, Teredo): where that leads is not ours to know.
 */
export function isPublicAddress(text: string): boolean {
  const address = parse(text);
  if (address?.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(globalUnicast);
}

export function isWithin(text: string, ranges: readonly Range[]): boolean {
  const address = parse(text);
  if (!address) return false;
  return ranges.some(
    ([base, bits]) =>
      base.kind() === address.kind() && (address as ipaddr.IPv4).match(base as ipaddr.IPv4, bits),
  );
}
