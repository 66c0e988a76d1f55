/** Which addresses of the network a request may go to: those of the public internet, and no others. */
import { BlockList, isIP } from 'node:net';

/** https://www.iana.org/assignments/iana-ipv4-special-registry: private, loopback, link-local, shared (CGNAT), reserved, multicast. */
const IPV4: readonly (readonly [address: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Within the one block of global unicast (2000::/3): Teredo and other protocols, documentation, 6to4, which hide an IPv4 address or lead nowhere. */
const IPV6: readonly (readonly [address: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];
/** IPv4 by way of NAT64, https://www.rfc-editor.org/rfc/rfc6052: how a network without IPv4 reaches a public IPv4 address. */
const NAT64 = '64:ff9b::';
const NAT64_BITS = 96;

const refusedV4 = new BlockList();
const refusedV6 = new BlockList();
const global = new BlockList();
const nat64 = new BlockList();
const refusedByNat64 = new BlockList();
for (const [address, prefix] of IPV4) {
  refusedV4.addSubnet(address, prefix, 'ipv4');
  refusedByNat64.addSubnet(`${NAT64}${address}`, NAT64_BITS + prefix, 'ipv6');
}
for (const [address, prefix] of IPV6) refusedV6.addSubnet(address, prefix, 'ipv6');
global.addSubnet('2000::', 3, 'ipv6');
nat64.addSubnet(NAT64, NAT64_BITS, 'ipv6');

/** False for everything that is no address at all, and for IPv4 written as IPv6 (`::ffff:…`). */
export function isPublicAddress(text: string): boolean {
  const address = text.replace(/%.*$/su, '');
  switch (isIP(address)) {
    case 4:
      return !refusedV4.check(address, 'ipv4');
    case 6:
      if (nat64.check(address, 'ipv6')) return !refusedByNat64.check(address, 'ipv6');
      return global.check(address, 'ipv6') && !refusedV6.check(address, 'ipv6');
    default:
      return false;
  }
}
