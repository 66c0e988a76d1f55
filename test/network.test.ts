/** Addresses and networks, against Node's own reading of them. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, parseAddress, parseNetwork } from '../src/network.ts';
import { addressText, networkText } from './support/networks.ts';

test.each([
  ['192.0.2.1', { family: 4, value: 0xc0000201n }],
  ['2001:DB8::1', { family: 6, value: 0x20010db8000000000000000000000001n }],
  ['::', { family: 6, value: 0n }],
  ['::ffff:192.0.2.1', { family: 4, value: 0xc0000201n }],
  ['::ffff:c000:201', { family: 4, value: 0xc0000201n }],
  ['64:ff9b::192.0.2.1', { family: 6, value: 0x64ff9b0000000000000000c0000201n }],
  ['192.0.02.1', null],
  ['fe80::1%eth0', null],
  ['AWS Internal', null],
  ['', null],
])('the address %j', (text, expected) => {
  expect(parseAddress(text)).toEqual(expected);
});

test.each([
  ['10.0.0.0/8', 8],
  ['::ffff:10.0.0.0/104', 8],
  ['2001:db8::/32', 32],
  ['0.0.0.0/0', 0],
  ['10.0.0.0/33', null],
  ['10.0.0.0/08', null],
  ['::ffff:10.0.0.0/95', null],
  ['10.0.0.0', null],
  ['10.0.0.0/8/8', null],
])('the network %j has so many bits', (text, bits) => {
  expect(parseNetwork(text)?.bits ?? null).toBe(bits);
});

test('an address lies in a network as Node says', () => {
  fc.assert(
    fc.property(addressText, networkText, (address, network) => {
      const [net, where] = [parseNetwork(network), parseAddress(address)];
      if (net === null || where === null) return;
      const block = new BlockList();
      const [prefix = '', bits = ''] = network.split('/');
      block.addSubnet(prefix, Number(bits), isIP(prefix) === 4 ? 'ipv4' : 'ipv6');
      // Node finds an IPv4 address in a network of IPv6 that holds all of them, and reads it in either form.
      if (net.family === where.family)
        expect(contains(net, where)).toBe(block.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'));
      else expect(contains(net, where)).toBe(false);
    }),
  );
});
