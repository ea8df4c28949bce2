import { describe, expect, test } from 'vitest';
import { isPublicAddress, isWithin, parseRange } from '../src/address.ts';

describe('an address', () => {
  test.each([
    '93.184.215.14',
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '2606:2800:21f:cb07:6820:80da:af6b:8b2c',
    '2a00:1450:4001:81b::200e',
  ])('is public: %s', (address) => expect(isPublicAddress(address)).toBe(true));

  test.each([
    ['loopback', '127.0.0.1'],
    ['all of loopback', '127.255.255.254'],
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private 10', '10.0.0.1'],
    ['private 172', '172.16.5.4'],
    ['private 172, the end', '172.31.255.255'],
    ['private 192', '192.168.1.1'],
    ['cloud metadata', '169.254.169.254'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['protocol assignments', '192.0.0.170'],
    ['documentation', '192.0.2.1'],
    ['documentation 2', '198.51.100.7'],
    ['documentation 3', '203.0.113.9'],
    ['benchmarking', '198.18.0.1'],
    ['6to4 relay', '192.88.99.1'],
    ['multicast', '224.0.0.1'],
    ['multicast, the end', '239.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 loopback', '::1'],
    ['IPv6 unspecified', '::'],
    ['IPv4-compatible', '::7f00:1'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped loopback in hex', '::ffff:7f00:1'],
    ['IPv4-mapped metadata', '::ffff:169.254.169.254'],
    ['IPv4-translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['ORCHID', '2001:20::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['unique local', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['discard only', '100::1'],
    ['not assigned', '4000::1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('is not public: %s, %s', (_, address) => expect(isPublicAddress(address)).toBe(false));

  test('lies in a range of its own kind, whatever it is dressed as', () => {
    const ranges = ['10.0.0.0/8', 'fd00::/8', '127.0.0.1'].map(parseRange);
    expect(['10.9.9.9', '::ffff:10.1.1.1', 'fd12::1', '127.0.0.1'].map((it) => isWithin(it, ranges))).toEqual(
      Array(4).fill(true),
    );
    expect(['11.0.0.1', '127.0.0.2', 'fe80::1', '::1', 'x'].map((it) => isWithin(it, ranges))).toEqual(
      Array(5).fill(false),
    );
  });
});
