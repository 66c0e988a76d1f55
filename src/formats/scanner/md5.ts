/** MD5 (RFC 1321): a short name for texts of which DuckDB must be able to compute the same one. Nothing here rests on its being hard to forge. */

const BLOCK_BYTES: usize = 64;
/** Where in the last block the length of the message stands. */
const LENGTH_OFFSET: usize = 56;
const END_MARK: u8 = 0x80;

/** The last one or two blocks: the rest of the message, its end mark and its length. */
const lastBlocks: usize = memory.data(128, 16);

/** The digest of the last message: these words in order, each least significant byte first. */
export let wordA: u32 = 0;
export let wordB: u32 = 0;
export let wordC: u32 = 0;
export let wordD: u32 = 0;

export function md5(at: usize, length: usize): void {
  wordA = 0x67452301;
  wordB = 0xefcdab89;
  wordC = 0x98badcfe;
  wordD = 0x10325476;
  const end = at + length;
  for (; at + BLOCK_BYTES <= end; at += BLOCK_BYTES) digestBlock(at);

  const rest = end - at;
  memory.fill(lastBlocks, 0, 2 * BLOCK_BYTES);
  memory.copy(lastBlocks, at, rest);
  store<u8>(lastBlocks + rest, END_MARK);
  const lastBlock = rest < LENGTH_OFFSET ? lastBlocks : lastBlocks + BLOCK_BYTES;
  store<u64>(lastBlock + LENGTH_OFFSET, (<u64>length) << 3);
  digestBlock(lastBlocks);
  if (lastBlock != lastBlocks) digestBlock(lastBlock);
}

// @ts-ignore: decorator
@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

// @ts-ignore: decorator
@inline
function chooseOther(x: u32, y: u32, z: u32): u32 {
  return y ^ (z & (x ^ y));
}

// @ts-ignore: decorator
@inline
function parity(x: u32, y: u32, z: u32): u32 {
  return x ^ y ^ z;
}

// @ts-ignore: decorator
@inline
function mixOr(x: u32, y: u32, z: u32): u32 {
  return y ^ (x | ~z);
}

// @ts-ignore: decorator
@inline
function step(mixed: u32, a: u32, b: u32, block: usize, word: usize, constant: u32, turns: u32): u32 {
  return b + rotl<u32>(a + mixed + load<u32>(block + (word << 2)) + constant, turns);
}

/** One block of the message. Each line: how the words mix, which word of the block, its constant (the sine's digits) and its turn. */
function digestBlock(block: usize): void {
  let a = wordA;
  let b = wordB;
  let c = wordC;
  let d = wordD;
  // Round 1.
  a = step(choose(b, c, d), a, b, block, 0, 0xd76aa478, 7);
  d = step(choose(a, b, c), d, a, block, 1, 0xe8c7b756, 12);
  c = step(choose(d, a, b), c, d, block, 2, 0x242070db, 17);
  b = step(choose(c, d, a), b, c, block, 3, 0xc1bdceee, 22);
  a = step(choose(b, c, d), a, b, block, 4, 0xf57c0faf, 7);
  d = step(choose(a, b, c), d, a, block, 5, 0x4787c62a, 12);
  c = step(choose(d, a, b), c, d, block, 6, 0xa8304613, 17);
  b = step(choose(c, d, a), b, c, block, 7, 0xfd469501, 22);
  a = step(choose(b, c, d), a, b, block, 8, 0x698098d8, 7);
  d = step(choose(a, b, c), d, a, block, 9, 0x8b44f7af, 12);
  c = step(choose(d, a, b), c, d, block, 10, 0xffff5bb1, 17);
  b = step(choose(c, d, a), b, c, block, 11, 0x895cd7be, 22);
  a = step(choose(b, c, d), a, b, block, 12, 0x6b901122, 7);
  d = step(choose(a, b, c), d, a, block, 13, 0xfd987193, 12);
  c = step(choose(d, a, b), c, d, block, 14, 0xa679438e, 17);
  b = step(choose(c, d, a), b, c, block, 15, 0x49b40821, 22);
  // Round 2.
  a = step(chooseOther(b, c, d), a, b, block, 1, 0xf61e2562, 5);
  d = step(chooseOther(a, b, c), d, a, block, 6, 0xc040b340, 9);
  c = step(chooseOther(d, a, b), c, d, block, 11, 0x265e5a51, 14);
  b = step(chooseOther(c, d, a), b, c, block, 0, 0xe9b6c7aa, 20);
  a = step(chooseOther(b, c, d), a, b, block, 5, 0xd62f105d, 5);
  d = step(chooseOther(a, b, c), d, a, block, 10, 0x02441453, 9);
  c = step(chooseOther(d, a, b), c, d, block, 15, 0xd8a1e681, 14);
  b = step(chooseOther(c, d, a), b, c, block, 4, 0xe7d3fbc8, 20);
  a = step(chooseOther(b, c, d), a, b, block, 9, 0x21e1cde6, 5);
  d = step(chooseOther(a, b, c), d, a, block, 14, 0xc33707d6, 9);
  c = step(chooseOther(d, a, b), c, d, block, 3, 0xf4d50d87, 14);
  b = step(chooseOther(c, d, a), b, c, block, 8, 0x455a14ed, 20);
  a = step(chooseOther(b, c, d), a, b, block, 13, 0xa9e3e905, 5);
  d = step(chooseOther(a, b, c), d, a, block, 2, 0xfcefa3f8, 9);
  c = step(chooseOther(d, a, b), c, d, block, 7, 0x676f02d9, 14);
  b = step(chooseOther(c, d, a), b, c, block, 12, 0x8d2a4c8a, 20);
  // Round 3.
  a = step(parity(b, c, d), a, b, block, 5, 0xfffa3942, 4);
  d = step(parity(a, b, c), d, a, block, 8, 0x8771f681, 11);
  c = step(parity(d, a, b), c, d, block, 11, 0x6d9d6122, 16);
  b = step(parity(c, d, a), b, c, block, 14, 0xfde5380c, 23);
  a = step(parity(b, c, d), a, b, block, 1, 0xa4beea44, 4);
  d = step(parity(a, b, c), d, a, block, 4, 0x4bdecfa9, 11);
  c = step(parity(d, a, b), c, d, block, 7, 0xf6bb4b60, 16);
  b = step(parity(c, d, a), b, c, block, 10, 0xbebfbc70, 23);
  a = step(parity(b, c, d), a, b, block, 13, 0x289b7ec6, 4);
  d = step(parity(a, b, c), d, a, block, 0, 0xeaa127fa, 11);
  c = step(parity(d, a, b), c, d, block, 3, 0xd4ef3085, 16);
  b = step(parity(c, d, a), b, c, block, 6, 0x04881d05, 23);
  a = step(parity(b, c, d), a, b, block, 9, 0xd9d4d039, 4);
  d = step(parity(a, b, c), d, a, block, 12, 0xe6db99e5, 11);
  c = step(parity(d, a, b), c, d, block, 15, 0x1fa27cf8, 16);
  b = step(parity(c, d, a), b, c, block, 2, 0xc4ac5665, 23);
  // Round 4.
  a = step(mixOr(b, c, d), a, b, block, 0, 0xf4292244, 6);
  d = step(mixOr(a, b, c), d, a, block, 7, 0x432aff97, 10);
  c = step(mixOr(d, a, b), c, d, block, 14, 0xab9423a7, 15);
  b = step(mixOr(c, d, a), b, c, block, 5, 0xfc93a039, 21);
  a = step(mixOr(b, c, d), a, b, block, 12, 0x655b59c3, 6);
  d = step(mixOr(a, b, c), d, a, block, 3, 0x8f0ccc92, 10);
  c = step(mixOr(d, a, b), c, d, block, 10, 0xffeff47d, 15);
  b = step(mixOr(c, d, a), b, c, block, 1, 0x85845dd1, 21);
  a = step(mixOr(b, c, d), a, b, block, 8, 0x6fa87e4f, 6);
  d = step(mixOr(a, b, c), d, a, block, 15, 0xfe2ce6e0, 10);
  c = step(mixOr(d, a, b), c, d, block, 6, 0xa3014314, 15);
  b = step(mixOr(c, d, a), b, c, block, 13, 0x4e0811a1, 21);
  a = step(mixOr(b, c, d), a, b, block, 4, 0xf7537e82, 6);
  d = step(mixOr(a, b, c), d, a, block, 11, 0xbd3af235, 10);
  c = step(mixOr(d, a, b), c, d, block, 2, 0x2ad7d2bb, 15);
  b = step(mixOr(c, d, a), b, c, block, 9, 0xeb86d391, 21);
  wordA += a;
  wordB += b;
  wordC += c;
  wordD += d;
}
