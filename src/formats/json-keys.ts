/** A hash that tells the keys a scanner knows apart: no two of one context share a place. */

/** A key that is known in the objects of one context. */
export interface KnownKey {
  readonly text: string;
  readonly context: number;
}

export interface KeyHash {
  readonly first: number;
  readonly last: number;
  readonly middle: number;
  /** How far from the end the middle byte lies. */
  readonly back: number;
}

/** As the scanner's findKey() computes it. */
export function hashOf(text: string, { first, last, middle, back }: KeyHash): number {
  const byte = (at: number): number => text.charCodeAt(at);
  return (
    (text.length + first * byte(0) + last * byte(text.length - 1) + middle * byte(Math.max(text.length - back, 0))) &
    0xff
  );
}

/** Whether two keys of a context have the same bytes where the hash looks: then no multipliers tell them apart. */
const areAlike = (keys: readonly KnownKey[], back: number): boolean =>
  new Set(
    keys.map(({ text, context }) =>
      [context, text.length, text[0], text.at(-1), text[Math.max(text.length - back, 0)]].join(' '),
    ),
  ).size < keys.length;

/** A hash that no two keys of a context share. Throws when there is none. */
export function perfectHash(keys: readonly KnownKey[], keyBytes: number): KeyHash {
  const LIMIT = 64;
  // The last bytes are often an ending that keys share.
  for (let back = 3; back <= keyBytes; back++) {
    if (areAlike(keys, back)) continue;
    for (let first = 1; first < LIMIT; first++) {
      for (let last = 1; last < LIMIT; last++) {
        for (let middle = 1; middle < LIMIT; middle++) {
          const hash = { first, last, middle, back };
          const places = new Set(keys.map((key) => key.context * 256 + hashOf(key.text, hash)));
          if (places.size === keys.length) return hash;
        }
      }
    }
  }
  throw new Error('no hash tells the keys of the table apart');
}
