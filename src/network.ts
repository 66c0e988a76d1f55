/** Addresses and networks as every comparison reads them: IPv4 that is written as IPv6 counts as IPv4, case does not matter, and an address with a zone is none. */
import { isIP } from 'node:net';

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Network extends Address {
  readonly bits: number;
}

const widthOf = (family: Address['family']): number => (family === 4 ? 32 : 128);

/** The bits in front of an IPv4 address that is written as IPv6, `::ffff:192.0.2.1`. */
const MAPPED_PREFIX = 0xffffn;
const MAPPED_BITS = 96;

/** Null for what is no address. */
export function parseAddress(text: string): Address | null {
  const written = parseWritten(text);
  return written !== null && isMapped(written) ? { family: 4, value: written.value & 0xffffffffn } : written;
}

/** `192.0.2.0/24` or `2001:db8::/32`; null for what is none. Bits after the prefix do not matter. */
export function parseNetwork(text: string): Network | null {
  const [address = '', digits = '', ...more] = text.split('/');
  const written = parseWritten(address);
  if (written === null || more.length > 0 || !/^(0|[1-9]\d{0,2})$/u.test(digits)) return null;
  const bits = Number(digits);
  if (bits > widthOf(written.family)) return null;
  if (!isMapped(written)) return { ...written, bits };
  return bits < MAPPED_BITS ? null : { family: 4, value: written.value & 0xffffffffn, bits: bits - MAPPED_BITS };
}

/** The same; an address is the network of itself alone. */
export const parseNetworkOrAddress = (text: string): Network | null =>
  parseNetwork(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);

/** An address as AWS writes it: IPv6 in lower case with its longest run of zeros left out (RFC 5952), and as IPv4 what is one. */
export function canonical({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const hex = value.toString(16).padStart(32, '0').match(/.{4}/gu) ?? [];
  return new URL(`http://[${hex.join(':')}]`).hostname.slice(1, -1);
}

/** The first `bits` bits of an address. */
export const prefixOf = ({ family, value }: Address, bits: number): bigint => value >> BigInt(widthOf(family) - bits);

/** The first address of a network. */
export function firstOf({ family, value, bits }: Network): Address {
  const rest = BigInt(widthOf(family) - bits);
  return { family, value: (value >> rest) << rest };
}

/** False where one is IPv4 and the other IPv6. */
export const contains = (network: Network, address: Address): boolean =>
  network.family === address.family && prefixOf(network, network.bits) === prefixOf(address, network.bits);

const isMapped = ({ family, value }: Address): boolean => family === 6 && value >> 32n === MAPPED_PREFIX;

function parseWritten(text: string): Address | null {
  const family = text.includes('%') ? 0 : isIP(text);
  if (family === 0) return null;
  return family === 4 ? { family, value: octets(text) } : { family: 6, value: groups(text.toLowerCase()) };
}

const octets = (text: string): bigint => text.split('.').reduce((value, octet) => value * 256n + BigInt(octet), 0n);

function groups(text: string): bigint {
  const plain = text.replace(/[\d.]+$/u, (last) => {
    if (!last.includes('.')) return last;
    const value = octets(last);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = [], tail] = plain.split('::').map((side) => (side === '' ? [] : side.split(':')));
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...(tail ?? [])].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
