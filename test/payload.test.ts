/** Payload reading: whole and sliced, every kind of damage, limits, and I/O errors. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  decodeWhole,
  type FileRange,
  openPayload,
  PAYLOAD_LIMITS,
  type PayloadLimits,
  readWhole,
  SLICE_BYTES,
} from '../src/payload.ts';

const MIB = 1_048_576;
const TEXT = Buffer.from(
  JSON.stringify({
    Records: Array.from({ length: 400 }, (_, index) => ({ eventID: index, eventName: `Get${index * 7919}` })),
  }),
);
const GZIP = zlib.gzipSync(TEXT);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'payload-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let files = 0;
function file(bytes: Uint8Array, method: FileRange['method'] = 'stored'): FileRange {
  const path = join(dir, `${files++}`);
  writeFileSync(path, bytes);
  return { path, start: 0, length: bytes.length, method };
}

/** A zip member of `content`, whose directory states the checksum of `packed`. */
function zipMember(content: Uint8Array, method: FileRange['method'], packed: Uint8Array = content): FileRange {
  return {
    ...file(method === 'deflate' ? zlib.deflateRawSync(content) : content, method),
    crc32: zlib.crc32(packed),
  };
}

async function slices(content: Parameters<typeof openPayload>[0], limits?: PayloadLimits) {
  const payload = openPayload(content, limits);
  const parts: Uint8Array[] = [];
  for await (const slice of payload) parts.push(slice);
  const { damage, compression } = payload;
  return { text: Buffer.concat(parts), damage, compression, largest: Math.max(0, ...parts.map((part) => part.length)) };
}

/** The same bytes as a stream in pieces. */
function stream(bytes: Uint8Array, piece = 1000): Readable {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece));
  return Readable.from(pieces);
}

/** Bytes that zlib cannot compress, so that offsets in the compressed data are easy to choose. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** A gzip header with extra field, name, comment and its own checksum. */
function longHeader(bytes: Uint8Array): Buffer {
  const plain = zlib.gzipSync(bytes);
  const header = Buffer.from([
    0x1f,
    0x8b,
    8,
    0x1e,
    0,
    0,
    0,
    0,
    0,
    255,
    3,
    0,
    1,
    2,
    3,
    ...Buffer.from('name\0comment\0'),
  ]);
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(zlib.crc32(header) & 0xffff);
  return Buffer.concat([header, checksum, plain.subarray(10)]);
}

const WHOLE: readonly (readonly [name: string, bytes: Buffer, expected: Buffer, compression: string])[] = [
  ['a gzip file', GZIP, TEXT, 'gzip'],
  ['a gzip file of two members', Buffer.concat([GZIP, GZIP]), Buffer.concat([TEXT, TEXT]), 'gzip'],
  ['a gzip file padded with zeros', Buffer.concat([GZIP, Buffer.alloc(1000)]), TEXT, 'gzip'],
  ['a gzip header with all its fields', longHeader(TEXT), TEXT, 'gzip'],
  ['an empty gzip member', zlib.gzipSync(''), Buffer.alloc(0), 'gzip'],
  ['a plain file', TEXT, TEXT, 'none'],
  ['an empty file', Buffer.alloc(0), Buffer.alloc(0), 'none'],
  ['a file of one byte', Buffer.from([0x1f]), Buffer.from([0x1f]), 'none'],
];

describe('readWhole and openPayload', () => {
  test.each(WHOLE)('read %s alike', async (_name, bytes, expected, compression) => {
    const whole = readWhole(file(bytes));
    expect({ ...whole, bytes: Buffer.from(whole?.bytes ?? []) }).toEqual({
      bytes: expected,
      compression,
      damage: null,
    });
    for (const content of [file(bytes), stream(bytes)]) {
      expect(await slices(content)).toMatchObject({ text: expected, compression, damage: null });
    }
  });

  test('a member behind zero padding is found', async () => {
    const bytes = Buffer.concat([GZIP, Buffer.alloc(40_000), GZIP]);
    expect(readWhole(file(bytes))).toBeNull();
    expect(await slices(file(bytes))).toMatchObject({ text: Buffer.concat([TEXT, TEXT]), damage: null });
  });

  test('a range of a file is read as if it were the file', async () => {
    const { path } = file(Buffer.concat([noise(77), GZIP, noise(99)]));
    const range: FileRange = { path, start: 77, length: GZIP.length, method: 'stored' };
    expect(Buffer.from(readWhole(range)?.bytes ?? [])).toEqual(TEXT);
    expect((await slices(range)).text).toEqual(TEXT);
  });

  test.each([
    ['a plain file in it', TEXT, 'deflate'],
    ['a gzip file in it', GZIP, 'gzip'],
  ])('a deflated zip member is inflated, with %s', async (_name, inner, compression) => {
    const member = file(zlib.deflateRawSync(inner), 'deflate');
    const whole = readWhole(member);
    expect({ ...whole, bytes: Buffer.from(whole?.bytes ?? []) }).toEqual({ bytes: TEXT, compression, damage: null });
    expect(await slices(member)).toMatchObject({ text: TEXT, compression, damage: null });
  });

  test('plain bytes that readWhole returned survive the next read', () => {
    const first = readWhole(file(Buffer.from('{"Records":[1]}')));
    readWhole(file(Buffer.from('[[[[[[[[[[[[[[[')));
    expect(Buffer.from(first?.bytes ?? []).toString()).toBe('{"Records":[1]}');
  });

  test('what inflates to more than wholeBytes is left to openPayload', async () => {
    const bytes = zlib.gzipSync(Buffer.alloc(3 * MIB, 'abcdefgh'));
    expect(readWhole(file(bytes), { ...PAYLOAD_LIMITS, wholeBytes: 2 * MIB })).toBeNull();
    expect(readWhole(file(Buffer.alloc(3 * MIB)), { ...PAYLOAD_LIMITS, wholeBytes: 2 * MIB })).toBeNull();
    expect((await slices(file(bytes))).text.length).toBe(3 * MIB);
  });

  test('a forged ISIZE neither costs memory nor bytes', async () => {
    const forged = Buffer.concat([GZIP.subarray(0, -4), Buffer.from([0xff, 0xff, 0xff, 0xff])]);
    expect(readWhole(file(forged))).toBeNull();
    expect(await slices(file(forged))).toMatchObject({ text: TEXT, damage: { reason: 'gzip-checksum' } });
  });

  test('no slice is larger than SLICE_BYTES', async () => {
    const bytes = Buffer.alloc(5 * MIB, '0123456789');
    for (const content of [file(bytes), file(zlib.gzipSync(bytes)), Readable.from([bytes])]) {
      const read = await slices(content);
      expect(read.text.equals(bytes)).toBe(true);
      expect(read.largest).toBeLessThanOrEqual(SLICE_BYTES);
    }
  });
});

/** Uncompressed bytes that zlib itself gets out of a prefix of a deflate stream. */
function inflatable(bytes: Buffer): Buffer {
  return zlib.gunzipSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
}

const NOISE = noise(200_000);
const NOISE_GZIP = zlib.gzipSync(NOISE);
/** A stored block begins every 65,535 bytes of noise at most; one with an impossible type makes the rest unreadable. */
const CORRUPT_AT = 100_000;

describe('damage', () => {
  test.each([
    ['inside the header', 5],
    ['right behind the magic bytes', 2],
    ['inside the compressed data', 500],
    ['before the checksum', GZIP.length - 8],
    ['inside the checksum', GZIP.length - 3],
  ])('a gzip file cut short %s gives all bytes before the cut', async (_name, length) => {
    const cut = GZIP.subarray(0, length);
    expect(decodeWhole(cut)).toBeNull();
    const expected = length <= 10 ? Buffer.alloc(0) : inflatable(cut);
    for (const content of [file(cut), stream(cut, 7)]) {
      const { text, damage } = await slices(content);
      expect(text).toEqual(expected);
      expect(damage).toMatchObject({ reason: 'gzip-truncated', offset: expected.length, compressedOffset: length });
    }
  });

  test('a gzip file cut at the end of a value is told from a whole one', async () => {
    const halves = [TEXT.subarray(0, 100), TEXT.subarray(100)].map((half) =>
      zlib.deflateRawSync(half, { finishFlush: zlib.constants.Z_SYNC_FLUSH }),
    );
    const cut = Buffer.concat([GZIP.subarray(0, 10), halves[0] ?? Buffer.alloc(0)]);
    expect(readWhole(file(cut))).toBeNull();
    expect(await slices(file(cut))).toMatchObject({
      text: TEXT.subarray(0, 100),
      damage: { reason: 'gzip-truncated', offset: 100 },
    });
  });

  test('a second member that is cut short costs only itself', async () => {
    const cut = Buffer.concat([GZIP, GZIP.subarray(0, 400)]);
    const { text, damage } = await slices(file(cut));
    expect(text.subarray(0, TEXT.length)).toEqual(TEXT);
    expect(damage).toMatchObject({ reason: 'gzip-truncated', offset: text.length });
    expect(await slices(file(Buffer.concat([GZIP, GZIP.subarray(0, 4)])))).toMatchObject({
      text: TEXT,
      damage: { reason: 'gzip-truncated' },
    });
  });

  test.each([
    ['checksum', -8],
    ['length', -4],
  ])('a wrong %s is told, and the bytes are delivered', async (_name, at) => {
    const bytes = Buffer.from(GZIP);
    bytes[bytes.length + at] = (bytes.at(at) ?? 0) ^ 1;
    expect(readWhole(file(bytes))).toBeNull();
    const doubled = Buffer.concat([bytes, GZIP]);
    expect(await slices(file(doubled))).toMatchObject({
      text: Buffer.concat([TEXT, TEXT]),
      damage: { reason: 'gzip-checksum', offset: TEXT.length, compressedOffset: GZIP.length - 8 },
    });
  });

  test('the damage that ends the file outranks a wrong checksum before it', async () => {
    const wrong = Buffer.from(GZIP);
    wrong[wrong.length - 8] = (wrong.at(-8) ?? 0) ^ 1;
    const { damage } = await slices(file(Buffer.concat([wrong, GZIP.subarray(0, 300)])));
    expect(damage?.reason).toBe('gzip-truncated');
  });

  test('trailing garbage is counted, and its first bytes are kept', async () => {
    const garbage = noise(100_000);
    garbage[0] = 0x7f;
    for (const padding of [0, 512]) {
      const bytes = Buffer.concat([GZIP, Buffer.alloc(padding), garbage]);
      expect(readWhole(file(bytes))).toBeNull();
      const { text, damage } = await slices(file(bytes));
      expect(text).toEqual(TEXT);
      expect(damage).toEqual({
        reason: 'gzip-trailing-garbage',
        detail: '100000 bytes follow the compressed data and are none',
        offset: TEXT.length,
        compressedOffset: GZIP.length + padding,
        text: Uint8Array.from(garbage.subarray(0, 65_536)),
      });
    }
  });

  test('a lone first magic byte behind the last member is garbage', async () => {
    expect(await slices(file(Buffer.concat([GZIP, Buffer.of(0x1f)])))).toMatchObject({
      text: TEXT,
      damage: { reason: 'gzip-trailing-garbage' },
    });
  });

  test.each(['file', 'stream'])(
    'corrupt data in the middle of a %s costs nothing of what lies before it',
    async (kind) => {
      // Noise is stored in blocks: the header of a block in the middle becomes one of the reserved type 3.
      const blocks = [NOISE.subarray(0, 30_000), NOISE.subarray(30_000, 60_000)].map((part) =>
        zlib.deflateRawSync(part, { level: 0, finishFlush: zlib.constants.Z_SYNC_FLUSH }),
      );
      const bytes = Buffer.concat([GZIP.subarray(0, 10), ...blocks, Buffer.of(0x07), noise(50_000)]);
      const at = 10 + blocks.reduce((sum, block) => sum + block.length, 0);
      expect(decodeWhole(bytes)).toBeNull();
      const { text, damage } = await slices(kind === 'file' ? file(bytes) : stream(bytes));
      expect(text.equals(NOISE.subarray(0, 60_000))).toBe(true);
      expect(damage).toMatchObject({ reason: 'gzip-corrupt', offset: 60_000, compressedOffset: at });
    },
  );

  test('corrupt data in a later member is found at its place', async () => {
    const bytes = Buffer.concat([NOISE_GZIP, GZIP.subarray(0, 10), Buffer.of(0x07, 1, 2, 3)]);
    const { text, damage } = await slices(file(bytes));
    expect(text.equals(NOISE)).toBe(true);
    expect(damage).toMatchObject({
      reason: 'gzip-corrupt',
      offset: NOISE.length,
      compressedOffset: NOISE_GZIP.length + 10,
    });
  });

  test('corrupt data far into a long stream costs nothing of what lies before it', async () => {
    const long = noise(12 * MIB);
    const text = Buffer.from(long.toString('latin1').replaceAll(/[^a-z]/g, ''));
    for (const [before, level] of [
      [long, 0],
      [text, 6],
    ] as const) {
      const deflated = zlib.deflateRawSync(before, { level, finishFlush: zlib.constants.Z_SYNC_FLUSH });
      const bytes = Buffer.concat([GZIP.subarray(0, 10), deflated, Buffer.of(0x07), noise(50_000)]);
      const read = await slices(stream(bytes, 60_000));
      expect(read.text.equals(before)).toBe(true);
      expect(read.damage).toMatchObject({
        reason: 'gzip-corrupt',
        offset: before.length,
        compressedOffset: 10 + deflated.length,
      });
    }
  });

  test('reserved flags in the first header are damage, and nothing is delivered', async () => {
    const bytes = Buffer.from(GZIP);
    bytes[3] = 0xe0;
    expect(await slices(file(bytes))).toMatchObject({
      text: Buffer.alloc(0),
      damage: { reason: 'gzip-corrupt', offset: 0 },
    });
  });

  test('a header whose name never ends is damage', async () => {
    const bytes = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 3]), Buffer.alloc(300_000, 'a')]);
    expect(await slices(file(bytes))).toMatchObject({ text: Buffer.alloc(0), damage: { reason: 'gzip-corrupt' } });
  });

  test('a zip member cut short, or holding a cut gzip file, tells it once', async () => {
    const deflated = zlib.deflateRawSync(TEXT);
    expect(await slices(file(deflated.subarray(0, 500), 'deflate'))).toMatchObject({
      compression: 'deflate',
      damage: { reason: 'gzip-truncated', detail: /zip member/ },
    });
    const twice = zlib.deflateRawSync(NOISE_GZIP).subarray(0, CORRUPT_AT);
    const outer = await slices(file(twice, 'deflate'));
    expect(outer.damage).toMatchObject({
      reason: 'gzip-truncated',
      offset: outer.text.length,
      compressedOffset: CORRUPT_AT,
    });
    expect(NOISE.subarray(0, outer.text.length).equals(outer.text)).toBe(true);
    expect(outer.text.length).toBeGreaterThan(CORRUPT_AT * 0.9);
    const inner = await slices(file(zlib.deflateRawSync(GZIP.subarray(0, 400)), 'deflate'));
    expect(inner.damage).toMatchObject({ reason: 'gzip-truncated', compressedOffset: 400 });
  });

  describe.each(['stored', 'deflate'] as const)('a zip member (%s)', (method) => {
    test.each([
      ['plain', TEXT],
      ['gzip', GZIP],
    ])('that holds a %s file with the checksum that the zip states is whole', async (_name, content) => {
      const whole = zipMember(content, method);
      expect(Buffer.from(readWhole(whole)?.bytes ?? [])).toEqual(TEXT);
      expect(await slices(whole)).toMatchObject({ text: TEXT, damage: null });
    });

    test.each([
      ['plain', TEXT],
      ['gzip', GZIP],
    ])('that holds a %s file with another checksum gives its bytes and tells it', async (_name, content) => {
      const changed = zipMember(content, method, NOISE);
      expect(readWhole(changed)).toBeNull();
      expect(await slices(changed)).toEqual({
        text: TEXT,
        damage: {
          reason: 'zip-checksum',
          detail: expect.stringMatching(/^the zip states CRC [0-9a-f]{8}, but the member holds CRC [0-9a-f]{8}$/),
          offset: TEXT.length,
          compressedOffset: changed.length,
          text: new Uint8Array(0),
        },
        compression: content === GZIP ? 'gzip' : method === 'deflate' ? 'deflate' : 'none',
        largest: TEXT.length,
      });
    });

    test('whose bytes end too early tells that instead of the checksum', async () => {
      const cut = await slices(zipMember(GZIP.subarray(0, 400), method, GZIP));
      expect(cut.damage).toMatchObject({ reason: 'gzip-truncated', compressedOffset: 400, offset: cut.text.length });
    });
  });
});

describe('limits', () => {
  test('a bomb of 300 MB of zeros stops early and in bounded memory', async () => {
    const bomb = Buffer.concat(Array.from({ length: 3 }, () => zlib.gzipSync(Buffer.alloc(100 * MIB))));
    expect(readWhole(file(bomb))).toBeNull();
    const payload = openPayload(file(bomb));
    let out = 0;
    let peak = 0;
    const before = process.memoryUsage().rss;
    for await (const slice of payload) {
      out += slice.length;
      peak = Math.max(peak, process.memoryUsage().rss - before);
    }
    expect(payload.damage).toMatchObject({ reason: 'gzip-bomb', offset: out });
    expect(out).toBeGreaterThan(128 * MIB);
    expect(out).toBeLessThan(130 * MIB);
    expect(peak).toBeLessThan(120 * MIB);
  });

  test('a bomb hidden in a deflated zip member is one as well', async () => {
    const member = file(zlib.deflateRawSync(zlib.gzipSync(Buffer.alloc(20 * MIB))), 'deflate');
    const { damage, text } = await slices(member, { ...PAYLOAD_LIMITS, ratioFromBytes: 5 * MIB });
    expect(damage).toMatchObject({ reason: 'gzip-bomb', offset: text.length });
    expect(text.length).toBeLessThan(10 * MIB);
    const outer = await slices(file(zlib.deflateRawSync(Buffer.alloc(20 * MIB)), 'deflate'), {
      ...PAYLOAD_LIMITS,
      ratioFromBytes: 5 * MIB,
    });
    expect(outer.damage?.reason).toBe('gzip-bomb');
  });

  test('maxBytes ends compressed files of any ratio, and plain files never', async () => {
    const limits = { ...PAYLOAD_LIMITS, maxBytes: 50_000 };
    expect((await slices(file(NOISE_GZIP), limits)).damage).toMatchObject({
      reason: 'gzip-bomb',
      detail: /more than 50000 bytes/,
    });
    expect((await slices(file(NOISE), limits)).damage).toBeNull();
  });
});

describe('files that cannot be read', () => {
  test('each failure is source-unreadable and names the path', async () => {
    const shrunk = file(NOISE);
    truncateSync(shrunk.path, 1000);
    const folder = join(dir, 'folder.json.gz');
    mkdirSync(folder);
    const cases: readonly (readonly [FileRange, RegExp])[] = [
      [
        { path: join(dir, 'gone.gz'), start: 0, length: 10, method: 'stored' },
        /gone\.gz: ENOENT: no such file or directory$/,
      ],
      [{ path: folder, start: 0, length: 10, method: 'stored' }, /folder\.json\.gz: EISDIR/],
      [{ path: '/proc/self/mem', start: 0, length: 10, method: 'stored' }, /\/proc\/self\/mem: EIO/],
      [shrunk, /it ends at byte 1000, and 200000 bytes were expected/],
    ];
    for (const [range, message] of cases) {
      const expected = { name: 'AppError', code: 'source-unreadable', message: expect.stringMatching(message) };
      expect(() => readWhole(range)).toThrow(expect.objectContaining(expected));
      await expect(slices(range)).rejects.toMatchObject(expected);
    }
  });

  test('a stream that fails names what it was', async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('{"Records":[');
        throw new Error('connection reset');
      })(),
    );
    const reading = (async () => {
      for await (const _ of openPayload(failing, PAYLOAD_LIMITS, 's3://logs/a.json'));
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'source-unreadable',
      message: 'cannot read s3://logs/a.json: connection reset',
    });
  });

  test('no file stays open, however the reading ends', async () => {
    const { readdirSync } = await import('node:fs');
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (const bytes of [GZIP, NOISE_GZIP.subarray(0, 5000), Buffer.concat([NOISE_GZIP, noise(10)]), NOISE])
      await slices(file(bytes));
    for await (const _ of openPayload(file(NOISE_GZIP))) break;
    for await (const _ of openPayload(file(zlib.deflateRawSync(NOISE_GZIP), 'deflate'))) break;
    expect(open()).toBe(before);
  });
});

const zstd = (zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer }).zstdCompressSync;

describe.runIf(zstd !== undefined)('zstd, where Node has it', () => {
  test('frames are read, and damage is told', async () => {
    const compressed = zstd?.(NOISE) ?? Buffer.alloc(0);
    expect(await slices(file(Buffer.concat([compressed, compressed])))).toMatchObject({
      text: Buffer.concat([NOISE, NOISE]),
      damage: null,
      compression: 'zstd',
    });
    expect((await slices(file(compressed.subarray(0, -5)))).damage).toMatchObject({
      reason: 'zstd-damaged',
      detail: /ends inside/,
    });
    expect((await slices(file(Buffer.concat([compressed, noise(10)])))).damage).toMatchObject({
      reason: 'zstd-damaged',
    });
    const corrupt = Buffer.from(compressed);
    // Noise is stored in blocks of 128 KiB; the header of the second one becomes an impossible one.
    const header = compressed.indexOf(NOISE.subarray(131_072, 131_090)) - 3;
    corrupt.fill(0xff, header, header + 3);
    const { text, damage } = await slices(file(corrupt));
    expect(damage).toMatchObject({ reason: 'zstd-damaged', offset: 131_072 });
    expect(NOISE.subarray(0, 131_072).equals(text)).toBe(true);
  });
});

describe.runIf(zstd === undefined)('zstd, where Node has none', () => {
  test('a zstd file cannot be read, and the hint says how', async () => {
    const frame = file(Buffer.from('28b52ffd0458090000616263', 'hex'));
    expect(readWhole(frame)).toBeNull();
    await expect(slices(frame)).rejects.toMatchObject({
      code: 'source-unreadable',
      message: expect.stringContaining(frame.path),
      hint: expect.stringContaining('22.15'),
    });
  });
});

describe('properties', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 6 });

  test('how a file is split into members and pieces never changes the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        chunks,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 20 }),
        async (parts, piece, zeros) => {
          const expected = Buffer.concat(parts);
          const bytes = Buffer.concat(parts.flatMap((part) => [zlib.gzipSync(part), Buffer.alloc(zeros)]));
          const read = await slices(stream(bytes, piece));
          expect(read.damage).toBeNull();
          expect(read.text).toEqual(expected);
          expect(Buffer.from(decodeWhole(bytes)?.bytes ?? expected)).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a cut or a changed byte anywhere never throws, and the bytes before it are the right ones', async () => {
    const text = noise(3000).toString('base64');
    const bytes = zlib.gzipSync(text);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, change, cut) => {
          const broken = cut ? bytes.subarray(0, at) : Uint8Array.from(bytes);
          if (!cut) broken[at] = (broken[at] ?? 0) ^ change;
          const whole = decodeWhole(broken);
          const { text: read, damage, compression } = await slices(stream(broken, 100));
          expect(read).toEqual(Buffer.from(whole?.bytes ?? read));
          // Zeros or a second member may stand behind a whole one: readWhole leaves that to openPayload as well.
          expect(damage !== null || whole !== null || read.toString() === text).toBe(true);
          expect(!cut || compression === 'none' || text.startsWith(read.toString())).toBe(true);
          expect(damage?.offset ?? read.length).toBe(read.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
