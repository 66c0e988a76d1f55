/** Addresses and networks as people and clients write them, close enough to each other to meet. */
import { isIP } from 'node:net';
import fc from 'fast-check';

const anyOctet = fc.constantFrom(0, 1, 10, 127, 128, 192, 255);
const group = fc.constantFrom('0', '1', 'db8', '2001', 'ffff', 'fe80', 'c000', '00a0');
const ipv4 = fc.tuple(anyOctet, anyOctet, anyOctet, anyOctet).map((octets) => octets.join('.'));

const ipv6 = fc
  .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(7), fc.nat(7), fc.boolean(), fc.boolean())
  .map(([groups, start, length, shortened, isUpper]) => {
    const text = shortened
      ? `${groups.slice(0, start).join(':')}::${groups.slice(Math.min(start + length + 1, 8)).join(':')}`
      : groups.join(':');
    return isUpper ? text.toUpperCase() : text;
  });
const mapped = fc
  .tuple(ipv4, fc.constantFrom('::ffff:', '::FFFF:', '0:0:0:0:0:ffff:', '64:ff9b::'))
  .map(([address, prefix]) => prefix + address);

export const addressText = fc.oneof(ipv4, ipv6, mapped);

/** What stands in place of an address. */
const notAnAddress = fc.constantFrom(
  '',
  'AWS Internal',
  'ec2.amazonaws.com',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '010.0.0.1',
  '1::2::3',
  ':::',
  'fe80::1%eth0',
  'fe80::1%25en0',
  '12345::',
  '1:2:3:4:5:6:7:8:9',
  '192.0.2.1 ',
);

export const networkText = fc.oneof(
  fc.tuple(ipv4, fc.constantFrom(0, 1, 7, 8, 9, 15, 16, 24, 31, 32)).map(([address, bits]) => `${address}/${bits}`),
  fc
    .tuple(fc.oneof(ipv6, mapped), fc.constantFrom(0, 1, 3, 16, 17, 32, 47, 48, 64, 95, 96, 97, 104, 120, 127, 128))
    .map(([address, bits]) => `${address}/${bits}`),
);

/** Pairs of a network and what may lie in it, the same for the same seed. */
export const pairsOf = (seed: number, count: number): readonly (readonly [network: string, address: string])[] =>
  fc.sample(fc.tuple(networkText, fc.oneof({ weight: 9, arbitrary: addressText }, notAnAddress)), {
    seed,
    numRuns: count,
  });

/** Whether it lies there: bit by bit, and NULL unless both can be read. */
export function liesIn(network: string, address: string): boolean | null {
  const [prefix = '', digits = ''] = network.split('/');
  const [net, where] = [bitsOf(prefix), bitsOf(address)];
  if (net === null || where === null) return null;
  const isMapped = net.length === 32 && prefix.includes(':');
  const length = Number(digits) - (isMapped ? 96 : 0);
  if (length < 0 || length > net.length) return null;
  return net.length === where.length && net.slice(0, length) === where.slice(0, length);
}

/** The bits of an address as zeros and ones; null where it is none. */
function bitsOf(text: string): string | null {
  if (isIP(text) === 0 || text.includes('%')) return null;
  const [head = '', tail] = text.toLowerCase().split('::');
  const partsOf = (side: string): string[] =>
    side === ''
      ? []
      : side.split(':').map((part) =>
          part.includes('.')
            ? part
                .split('.')
                .map((octet) => Number(octet).toString(2).padStart(8, '0'))
                .join('')
            : Number.parseInt(part, 16).toString(2).padStart(16, '0'),
        );
  const [left, right] = [
    isIP(text) === 4 ? partsOf(text).join('') : partsOf(head).join(''),
    partsOf(tail ?? '').join(''),
  ];
  if (isIP(text) === 4) return left;
  const bits = tail === undefined ? left : left + '0'.repeat(128 - left.length - right.length) + right;
  return bits.startsWith(`${'0'.repeat(80)}${'1'.repeat(16)}`) ? bits.slice(96) : bits;
}
