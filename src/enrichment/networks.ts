/** Networks with what they stand for: an address finds the narrowest that holds it. */
import { type Address, type Network, parseAddress, prefixOf } from '../network.ts';

export class NetworkMap<T> {
  /** By family and length of the prefix. */
  readonly #prefixes: Readonly<Record<Address['family'], Map<number, Map<bigint, T>>>> = {
    4: new Map(),
    6: new Map(),
  };
  /** Longest first. */
  #lengths: Readonly<Record<Address['family'], readonly number[]>> = { 4: [], 6: [] };

  /** The first that is added for a network stays. */
  add(network: Network, value: T): void {
    const { family, bits } = network;
    const byLength = this.#prefixes[family];
    const known = byLength.get(bits) ?? new Map<bigint, T>();
    if (!byLength.has(bits)) {
      byLength.set(bits, known);
      this.#lengths = { ...this.#lengths, [family]: [...byLength.keys()].toSorted((a, b) => b - a) };
    }
    const prefix = prefixOf(network, bits);
    if (!known.has(prefix)) known.set(prefix, value);
  }

  find(text: string): T | undefined {
    const address = parseAddress(text);
    if (address === null) return undefined;
    for (const bits of this.#lengths[address.family]) {
      const found = this.#prefixes[address.family].get(bits)?.get(prefixOf(address, bits));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
