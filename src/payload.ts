/** The uncompressed bytes of a log file: recognised by content, bounded in memory, with damage told instead of thrown. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Transform } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import { AppError } from './errors.ts';
import { REJECT_TEXT_BYTES } from './format.ts';
import { fsPath, keyOf } from './keys.ts';
import type { Content } from './source.ts';

const KIB = 1024;
const MIB = KIB * KIB;

export interface PayloadLimits {
  /** A log file that inflates to more than this is read as slices. */
  readonly wholeBytes: number;
  /** Uncompressed to compressed bytes; judged once more than `ratioFromBytes` came out. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
  /** No compressed log file yields more than this and one slice. */
  readonly maxBytes: number;
}

export const PAYLOAD_LIMITS: PayloadLimits = {
  /** Two workers hold one each, beside a decoder's window of 64 MiB. */
  wholeBytes: 48 * MIB,
  /** CloudTrail compresses about 10:1 to 30:1, DEFLATE expands up to 1032:1. */
  maxRatio: 400,
  ratioFromBytes: 128 * MIB,
  maxBytes: KIB * KIB * MIB,
};

/** Why the bytes of a log file end early or cannot be trusted. All bytes before the damage are delivered. */
export interface Damage {
  readonly reason:
    | 'gzip-truncated'
    | 'gzip-corrupt'
    | 'gzip-checksum'
    | 'gzip-trailing-garbage'
    | 'gzip-bomb'
    | 'zip-checksum'
    | 'zstd-damaged';
  /** For a person. */
  readonly detail: string;
  /** In the uncompressed bytes that were delivered. */
  readonly offset: number;
  /** In the compressed bytes. */
  readonly compressedOffset: number;
  /** The first REJECT_TEXT_BYTES bytes of what is no compressed data; empty when there are none. */
  readonly text: Uint8Array;
}

/** `deflate` is a zip member that is not compressed once more by itself. */
export type Compression = 'none' | 'deflate' | 'gzip' | 'zstd';

export interface Payload {
  readonly bytes: Uint8Array;
  readonly compression: Compression;
  /** Always null: a damaged log file is never read whole. */
  readonly damage: null;
}

export type FileRange = Omit<Extract<Content, { readonly type: 'file' }>, 'type'>;

const NOTHING = new Uint8Array(0);
/** Compressed bytes of one file lie here while they are inflated: the median log file has 1.5 kB, and a buffer for each would cost more than its read. */
const scratch = Buffer.allocUnsafeSlow(MIB);
/** What ISIZE may make us allocate: it is a number that anybody can write into a file. */
const OUTPUT_HINT_BYTES = 64 * MIB;
/** Smallest output buffer that zlib takes. */
const OUTPUT_MIN_BYTES = 64;

/**
 * Reads a log file at once, on this thread. Null when it must be read by openPayload() instead: it is too large for that, it is damaged, or it is zstd.
 * Throws `source-unreadable` when the file itself cannot be read.
 */
export function readWhole(file: FileRange, limits: PayloadLimits = PAYLOAD_LIMITS): Payload | null {
  if (file.length > limits.wholeBytes) return null;
  const buffer = file.length <= scratch.length ? scratch : Buffer.allocUnsafeSlow(file.length);
  const input = buffer.subarray(0, file.length);
  readInto(input, file);
  const payload = decodeWhole(input, limits, file);
  // Plain bytes are the caller's, and scratch is not.
  return payload !== null && payload.bytes.buffer === scratch.buffer
    ? { ...payload, bytes: Buffer.from(payload.bytes) }
    : payload;
}

/** Fills `input` with the bytes of a log file as they lie there. Throws `source-unreadable`. */
export function readInto(input: Buffer, file: FileRange): void {
  const fd = openFile(file.path);
  try {
    readFully(fd, input, file.start, file);
  } finally {
    closeSync(fd);
  }
}

/** As readWhole(), of bytes at hand. Plain content is returned as it is, not copied. */
export function decodeWhole(
  input: Uint8Array,
  limits: PayloadLimits = PAYLOAD_LIMITS,
  { method, crc32 }: Pick<FileRange, 'method' | 'crc32'> = { method: 'stored' },
): Payload | null {
  const maxOutputLength = Math.min(limits.wholeBytes, limits.ratioFromBytes);
  if (input.length > maxOutputLength) return null;
  try {
    if (method === 'deflate') {
      const member = inflatedWhole(
        zlib.inflateRawSync(input, { info: true, chunkSize: memberHint(input), maxOutputLength }),
        input,
      );
      if (member === null) return null;
      const inner = decodeWhole(member, limits, crc32 === undefined ? undefined : { method: 'stored', crc32 });
      return inner?.compression === 'none' ? { ...inner, compression: 'deflate' } : inner;
    }
    if (isZstd(input) || (crc32 !== undefined && zlib.crc32(input) !== crc32)) return null;
    if (!isGzip(input)) return { bytes: input, compression: 'none', damage: null };
    const chunkSize = Math.max(
      OUTPUT_MIN_BYTES,
      Math.min(sizeHint(input) + OUTPUT_MIN_BYTES, OUTPUT_HINT_BYTES, maxOutputLength),
    );
    const bytes = inflatedWhole(zlib.gunzipSync(input, { info: true, chunkSize, maxOutputLength }), input);
    return bytes === null ? null : { bytes, compression: 'gzip', damage: null };
  } catch (error) {
    if (isCode(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'ERR_BUFFER_TOO_LARGE')) return null;
    throw error;
  }
}

/** A port that nobody listens to. */
const nowhere = new MessageChannel();
nowhere.port2.close();
/** Smaller buffers are not worth a message. */
const RELEASE_BYTES = 64 * KIB;

/** Gives the memory of a log file that was read whole back at once: left to the garbage collector, gigabytes an ingest would wait for it. */
export function release(bytes: Uint8Array): void {
  const isWhole = bytes.byteOffset === 0 && bytes.buffer.byteLength <= bytes.byteLength + OUTPUT_MIN_BYTES;
  // What is sent away is no longer ours, and what nobody receives is freed.
  if (bytes.byteLength >= RELEASE_BYTES && isWhole) nowhere.port1.postMessage(null, [bytes.buffer as ArrayBuffer]);
}

/** Zip members are log files, which grow about tenfold, or gzip files, which do not grow at all. */
function memberHint(input: Uint8Array): number {
  return Math.max(OUTPUT_MIN_BYTES, Math.min(input.length * 4, MIB));
}

/** Null when something other than zeros follows the compressed data. */
function inflatedWhole(result: unknown, input: Uint8Array): Uint8Array | null {
  // The types of node:zlib do not know what `info: true` returns: https://nodejs.org/docs/latest-v20.x/api/zlib.html#class-options.
  const { buffer, engine } = result as { buffer: Uint8Array; engine: { bytesWritten: number } };
  return input.subarray(engine.bytesWritten).every((byte) => byte === 0) ? buffer : null;
}

/** ISIZE, the last four bytes of a gzip member: its uncompressed length modulo 2^32. */
function sizeHint(input: Uint8Array): number {
  return input.length < 18
    ? 0
    : new DataView(input.buffer, input.byteOffset, input.byteLength).getUint32(input.length - 4, true);
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function isGzip(head: Uint8Array): boolean {
  // Two bytes are enough for a file that was cut there; the method that follows is always 8.
  return head[0] === 0x1f && head[1] === 0x8b && (head.length === 2 || head[2] === 8);
}

function isZstd(head: Uint8Array): boolean {
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
}

/** Bytes of a log file in order, as slices of at most SLICE_BYTES. Can be iterated once. */
export interface PayloadStream extends AsyncIterable<Uint8Array> {
  /** Known once the iteration has ended. Of several, the one that ended it, else the first. */
  readonly damage: Damage | null;
  /** Known from the first slice on. */
  readonly compression: Compression;
}

/** Upper bound of a slice. */
export const SLICE_BYTES = MIB;
/** Plain files are read, and inflated bytes handed on, by so much: larger gains nothing. */
const READ_BYTES = 256 * KIB;
/** Compressed bytes given to zlib at once: at 1032:1 they become 34 MB, which bounds what waits to be taken. */
const FEED_BYTES = 32 * KIB;
/** A gzip header longer than this (its name and comment have no bound) is no header. */
const HEADER_BYTES = 64 * KIB;

/**
 * Reads a log file of any size in constant memory. Throws `source-unreadable`, naming `name`, when the bytes cannot be read, or when they are zstd and
 * this Node has none.
 */
export function openPayload(
  content: FileRange | AsyncIterable<Uint8Array>,
  limits: PayloadLimits = PAYLOAD_LIMITS,
  name?: string,
): PayloadStream {
  if (Symbol.asyncIterator in content)
    return new Decoding(() => streamSlices(content, name ?? 'the stream'), null, limits, name ?? 'the stream');
  return new Decoding(() => fileSlices(content), content, limits, name ?? keyOf(content.path));
}

type Slices = AsyncIterable<Uint8Array>;
/** Gives the bytes from their start, of a file the same ones at each call. */
type Feed = () => Slices;

class Decoding implements PayloadStream {
  damage: Damage | null = null;
  compression: Compression = 'none';
  private readonly feed: Feed;
  /** Null for a stream. */
  private readonly range: FileRange | null;
  private readonly limits: PayloadLimits;
  private readonly name: string;
  private delivered = 0;

  constructor(feed: Feed, range: FileRange | null, limits: PayloadLimits, name: string) {
    this.feed = feed;
    this.range = range;
    this.limits = limits;
    this.name = name;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.range?.method === 'deflate') this.compression = 'deflate';
    for await (const bytes of this.decode()) {
      for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
        const slice = bytes.subarray(at, at + SLICE_BYTES);
        this.delivered += slice.length;
        yield slice;
      }
    }
    // An outer layer is read ahead of the inner one: what ended it was noted before the last bytes came out.
    if (this.damage !== null && this.damage.reason !== 'gzip-checksum')
      this.damage = { ...this.damage, offset: this.delivered };
  }

  private async *decode(): Slices {
    const input = new Input(this.content());
    try {
      await input.fill(4);
      if (isGzip(input.peek())) {
        this.compression = 'gzip';
        yield* this.gunzip(input);
      } else if (isZstd(input.peek())) {
        this.compression = 'zstd';
        yield* this.unzstd(input);
      } else {
        for (let bytes = await input.take(READ_BYTES); bytes !== null; bytes = await input.take(READ_BYTES))
          yield bytes;
      }
    } finally {
      await input.close();
    }
  }

  /** All members of a gzip file. */
  private async *gunzip(input: Input): Slices {
    for (let members = 0; ; members++) {
      if (members > 0) await input.skipZeros();
      const header = await takeGzipHeader(input);
      if (header === 'end') return;
      if (header === 'cut')
        return this.end('gzip-truncated', 'the file ends inside a gzip header', input.offset + input.peek().length);
      if (header === 'other')
        return members === 0 ? this.end('gzip-corrupt', 'the gzip header is not valid', 0) : await this.garbage(input);

      let size = 0;
      let crc = 0;
      const ending = yield* inflate(
        input,
        DEFLATE,
        this.again(() => this.content()),
        (bytes) => {
          size += bytes.length;
          crc = zlib.crc32(bytes, crc);
          return this.isBomb(input.offset);
        },
      );
      if (ending === 'stopped') return;
      if (ending !== 'complete')
        return this.end(ending.cut ? 'gzip-truncated' : 'gzip-corrupt', ending.detail, ending.offset);
      await input.fill(8);
      const trailer = input.peek();
      if (trailer.length < 8)
        return this.end(
          'gzip-truncated',
          'the file ends before the checksum of its last gzip member',
          input.offset + trailer.length,
        );
      const stated = new DataView(trailer.buffer, trailer.byteOffset, 8);
      const [statedCrc, statedSize] = [stated.getUint32(0, true), stated.getUint32(4, true)];
      if (statedCrc !== crc || statedSize !== size % 2 ** 32) {
        const detail = `gzip member ${members + 1} states CRC ${hex(statedCrc)} and ${statedSize} bytes, but holds CRC ${hex(crc)} and ${size} bytes`;
        this.damage ??= this.damageOf('gzip-checksum', detail, input.offset);
      }
      input.skip(8);
    }
  }

  private async *unzstd(input: Input): Slices {
    // Node has zstd since 22.15 and 23.8: https://nodejs.org/api/zlib.html#zlibcreatezstddecompressoptions. The types are those of Node 20.
    const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Inflater };
    if (createZstdDecompress === undefined) {
      throw new AppError(
        'source-unreadable',
        `cannot read ${this.name}: it is compressed with zstd, which Node ${process.versions.node} does not know`,
        {
          hint: 'Run trailhound with Node 22.15 or newer.',
        },
      );
    }
    const codec: Codec = {
      create: () => createZstdDecompress({ chunkSize: READ_BYTES }),
      // Node says nothing of a frame that is cut short. Only a decoder that waits for a new frame refuses zeros as the beginning of one.
      isComplete: async (engine) => isCode((await engine.push(new Uint8Array(8))).error, 'ZSTD_error_prefix_unknown'),
    };
    for (await input.fill(4); isZstd(input.peek()); await input.fill(4)) {
      const ending = yield* inflate(
        input,
        codec,
        this.again(() => this.content()),
        () => this.isBomb(input.offset),
      );
      if (ending === 'stopped') return;
      if (ending !== 'complete') return this.end('zstd-damaged', ending.detail, ending.offset);
    }
    if (input.peek().length > 0) await this.garbage(input, 'zstd-damaged');
  }

  /** What the range or stream holds; a zip member is inflated, and compared with its checksum at its end. */
  private content(): Slices {
    if (this.range === null) return this.feed();
    const { method, crc32, length } = this.range;
    const bytes = method === 'deflate' ? this.member() : this.feed();
    return crc32 === undefined ? bytes : this.checked(bytes, crc32, length);
  }

  /** Null for a stream, which gives its bytes once. */
  private again(feed: Feed): Feed | null {
    return this.range === null ? null : feed;
  }

  private async *checked(member: Slices, stated: number, length: number): Slices {
    let crc = 0;
    for await (const bytes of member) {
      crc = zlib.crc32(bytes, crc);
      yield bytes;
    }
    const detail = `the zip states CRC ${hex(stated)}, but the member holds CRC ${hex(crc)}`;
    if (crc !== stated) this.damage ??= this.damageOf('zip-checksum', detail, length);
  }

  /** The content of a deflated zip member. */
  private async *member(): Slices {
    const input = new Input(this.feed());
    let size = 0;
    try {
      const ending = yield* inflate(input, DEFLATE, this.again(this.feed), (bytes) => {
        size += bytes.length;
        return this.isBomb(input.offset, size);
      });
      if (typeof ending === 'object')
        this.end(ending.cut ? 'gzip-truncated' : 'gzip-corrupt', `zip member: ${ending.detail}`, ending.offset);
    } finally {
      await input.close();
    }
  }

  private isBomb(compressed: number, out: number = this.delivered): boolean {
    const { maxBytes, maxRatio, ratioFromBytes } = this.limits;
    if (out <= maxBytes && (out <= ratioFromBytes || out <= compressed * maxRatio)) return false;
    const limit = out > maxBytes ? `${maxBytes} bytes` : `${maxRatio} times as many`;
    this.end('gzip-bomb', `${out} bytes came out of ${compressed} compressed ones, more than ${limit}`, compressed);
    return true;
  }

  private async garbage(input: Input, reason: Damage['reason'] = 'gzip-trailing-garbage'): Promise<void> {
    const start = input.offset;
    await input.fill(REJECT_TEXT_BYTES);
    const text = Uint8Array.from(input.peek().subarray(0, REJECT_TEXT_BYTES));
    while ((await input.take(READ_BYTES)) !== null);
    this.damage = {
      ...this.damageOf(reason, `${input.offset - start} bytes follow the compressed data and are none`, start),
      text,
    };
  }

  /** The reading ends here. What ended an outer layer outranks what that does to the inner one. */
  private end(reason: Damage['reason'], detail: string, compressedOffset: number): void {
    if (this.damage === null || this.damage.reason === 'gzip-checksum' || this.damage.reason === 'zip-checksum')
      this.damage = this.damageOf(reason, detail, compressedOffset);
  }

  private damageOf(reason: Damage['reason'], detail: string, compressedOffset: number): Damage {
    return { reason, detail, offset: this.delivered, compressedOffset, text: NOTHING };
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

interface InflateDamage {
  /** The compressed data ends early; otherwise it is wrong. */
  readonly cut: boolean;
  readonly detail: string;
  readonly offset: number;
}

type Inflater = Transform & { readonly bytesWritten: number };

interface Codec {
  create(): Inflater;
  /** Called when all input was pushed: is the compressed run complete? */
  isComplete(engine: Engine): Promise<boolean>;
}

const DEFLATE: Codec = {
  create: () => zlib.createInflateRaw({ chunkSize: READ_BYTES }),
  isComplete: (engine) => engine.finish(),
};

/**
 * Inflates up to the end of one compressed run and leaves `input` right after it. `isEnough` sees each slice after it was taken and may stop the reading.
 * `again` gives the input anew, to look again at damage; without it a second engine follows one chunk behind.
 */
async function* inflate(
  input: Input,
  codec: Codec,
  again: Feed | null,
  isEnough: (bytes: Uint8Array) => boolean,
): AsyncGenerator<Uint8Array, InflateDamage | 'complete' | 'stopped', undefined> {
  const start = input.offset;
  const engine = new Engine(codec.create());
  let follower: Engine | null = null;
  let previous: Uint8Array | null = null;
  try {
    for (;;) {
      const before = input.offset;
      const chunk = await input.take(FEED_BYTES);
      if (chunk === null) {
        return (await codec.isComplete(engine))
          ? 'complete'
          : { cut: true, detail: 'the file ends inside compressed data', offset: before };
      }
      if (again === null && previous !== null) follower ??= new Engine(codec.create());
      const [result] = await Promise.all([engine.push(chunk), previous === null ? null : follower?.push(previous)]);
      previous = chunk;
      input.back(chunk, result.unused);
      let known = 0;
      for (const bytes of result.out) {
        known += bytes.length;
        yield bytes;
        if (isEnough(bytes)) return 'stopped';
      }
      if (result.error !== null) {
        follower ??= new Engine(codec.create());
        if (again !== null) await catchUp(follower, again(), start, before);
        const at = yield* inflateBytewise(follower, chunk, known);
        return { cut: false, detail: `the compressed data is not valid: ${result.error.message}`, offset: before + at };
      }
      if (result.unused > 0) return 'complete';
    }
  } finally {
    engine.close();
    follower?.close();
  }
}

/** Pushes the bytes of a compressed run from `start` to `end`. */
async function catchUp(engine: Engine, slices: Slices, start: number, end: number): Promise<void> {
  const input = new Input(slices);
  try {
    while (input.offset < start && (await input.take(start - input.offset)) !== null);
    while (input.offset < end) {
      const chunk = await input.take(Math.min(FEED_BYTES, end - input.offset));
      if (chunk === null) return;
      await engine.push(chunk);
    }
  } finally {
    await input.close();
  }
}

/**
 * zlib throws away what it had inflated of the chunk in which it fails. An engine that has not seen this chunk gets it byte by byte, and what comes out
 * behind the `known` bytes is yielded. Returns where in the chunk the failing byte is.
 */
async function* inflateBytewise(
  engine: Engine,
  chunk: Uint8Array,
  known: number,
): AsyncGenerator<Uint8Array, number, undefined> {
  let seen = 0;
  for (let at = 0; at < chunk.length; at++) {
    const result = await engine.push(chunk.subarray(at, at + 1));
    for (const bytes of result.out) {
      const skipped = Math.min(bytes.length, Math.max(0, known - seen));
      seen += bytes.length;
      if (skipped < bytes.length) yield bytes.subarray(skipped);
    }
    if (result.error !== null) return at;
  }
  return chunk.length;
}

interface Inflated {
  readonly out: readonly Uint8Array[];
  /** Bytes at the end of the chunk that belong to what follows the compressed run. */
  readonly unused: number;
  readonly error: Error | null;
}

/** One of Node's inflating streams, driven chunk by chunk: what came out of a chunk is known before the next one goes in. */
class Engine {
  private readonly inflater: Inflater;
  private out: Uint8Array[] = [];
  private written = 0;
  private error: Error | null = null;
  private settle: () => void = () => {};

  constructor(inflater: Inflater) {
    this.inflater = inflater;
    inflater.on('data', (bytes: Uint8Array) => this.out.push(bytes));
    inflater.on('error', (error: Error) => {
      this.error = error;
      // A write that fails is not always called back.
      this.settle();
    });
  }

  async push(chunk: Uint8Array): Promise<Inflated> {
    await new Promise<void>((resolve) => {
      this.settle = resolve;
      this.inflater.write(chunk, () => resolve());
    });
    this.written += chunk.length;
    const out = this.out;
    this.out = [];
    return { out, unused: this.error === null ? this.written - this.inflater.bytesWritten : 0, error: this.error };
  }

  /** Ends the input. False when the compressed run would go on. */
  async finish(): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      this.settle = () => resolve(false);
      this.inflater.once('end', () => resolve(true));
      this.inflater.end();
    });
  }

  close(): void {
    this.inflater.destroy();
  }
}

/** Compressed bytes with a position, read ahead as far as asked for. */
class Input {
  /** Bytes taken or skipped so far. */
  offset = 0;
  private readonly slices: AsyncIterator<Uint8Array>;
  private bytes: Uint8Array = NOTHING;

  constructor(slices: Slices) {
    this.slices = slices[Symbol.asyncIterator]();
  }

  /** What was read and not taken. */
  peek(): Uint8Array {
    return this.bytes;
  }

  /** Reads until `count` bytes can be peeked at, or all are. */
  async fill(count: number): Promise<void> {
    while (this.bytes.length < count) {
      const next = await this.slices.next();
      if (next.done === true) return;
      this.bytes = this.bytes.length === 0 ? next.value : Buffer.concat([this.bytes, next.value]);
    }
  }

  /** The next bytes, `count` at most; null at the end. */
  async take(count: number): Promise<Uint8Array | null> {
    await this.fill(1);
    if (this.bytes.length === 0) return null;
    const taken = this.bytes.subarray(0, count);
    this.skip(taken.length);
    return taken;
  }

  skip(count: number): void {
    this.bytes = this.bytes.subarray(count);
    this.offset += count;
  }

  /** Puts the last `count` bytes of what was just taken back. */
  back(taken: Uint8Array, count: number): void {
    if (count === 0) return;
    this.offset -= count;
    const unused = taken.subarray(taken.length - count);
    this.bytes =
      this.bytes.length === 0 ? unused : new Uint8Array(taken.buffer, unused.byteOffset, count + this.bytes.length);
  }

  async close(): Promise<void> {
    await this.slices.return?.();
  }

  async skipZeros(): Promise<void> {
    for (;;) {
      await this.fill(1);
      const other = this.bytes.findIndex((byte) => byte !== 0);
      if (this.bytes.length === 0) return;
      this.skip(other < 0 ? this.bytes.length : other);
      if (other >= 0) return;
    }
  }
}

/** Takes a gzip member's header (RFC 1952). `end`: no bytes are left. `cut`: they end inside a header. `other`: they are no gzip header. */
async function takeGzipHeader(input: Input): Promise<'taken' | 'end' | 'cut' | 'other'> {
  for (let wanted = 10; wanted <= HEADER_BYTES; wanted *= 2) {
    await input.fill(wanted);
    const bytes = input.peek();
    if (bytes.length === 0) return 'end';
    const length = gzipHeaderLength(bytes);
    if (length === null) return 'other';
    if (length <= bytes.length) {
      input.skip(length);
      return 'taken';
    }
    if (bytes.length < wanted) return 'cut';
  }
  return 'other';
}

/** Infinity while the header goes on beyond `bytes`; null when it is none. */
function gzipHeaderLength(bytes: Uint8Array): number | null {
  const flags = bytes[3] ?? 0;
  if (bytes[0] !== 0x1f || (bytes[1] ?? 0x8b) !== 0x8b || (bytes[2] ?? 8) !== 8 || (flags & 0xe0) !== 0) return null;
  // A lone 0x1f behind the last member is garbage, not the beginning of another.
  if (bytes.length === 1) return null;
  let length = 10;
  if (flags & 0x04) length += 2 + (bytes[length] ?? 0) + (bytes[length + 1] ?? Number.POSITIVE_INFINITY) * 256;
  for (const flag of [0x08, 0x10]) {
    if ((flags & flag) === 0) continue;
    const zero = bytes.indexOf(0, length);
    if (zero < 0) return Number.POSITIVE_INFINITY;
    length = zero + 1;
  }
  return length + (flags & 0x02 ? 2 : 0);
}

/** The bytes of a range of a local file. */
async function* fileSlices(file: FileRange): Slices {
  const fd = openFile(file.path);
  try {
    for (let at = 0; at < file.length; at += READ_BYTES) {
      const slice = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, file.length - at));
      readFully(fd, slice, file.start + at, file);
      yield slice;
    }
  } finally {
    closeSync(fd);
  }
}

async function* streamSlices(stream: Slices, name: string): Slices {
  try {
    yield* stream;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unreadable(name, error);
  }
}

function openFile(path: string): number {
  try {
    return openSync(fsPath(path), 'r');
  } catch (error) {
    throw unreadable(keyOf(path), error);
  }
}

/** Fills `buffer` from `position` on. A file may have shrunk since it was listed. */
function readFully(fd: number, buffer: Buffer, position: number, file: FileRange): void {
  for (let filled = 0; filled < buffer.length; ) {
    let count: number;
    try {
      count = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    } catch (error) {
      throw unreadable(keyOf(file.path), error);
    }
    if (count === 0) {
      const expected = `it ends at byte ${position + filled}, and ${file.start + file.length} bytes were expected`;
      throw new AppError('source-unreadable', `cannot read ${keyOf(file.path)}: ${expected}`, {
        hint: 'Something changed it since it was listed. Run again when it is complete.',
      });
    }
    filled += count;
  }
}

/** What the system says of a file or folder that could not be read now. `name` as keyOf() writes it. */
export function unreadable(name: string, error: unknown): AppError {
  // The system's message ends with the call and the raw path: `EACCES: permission denied, open '…'`.
  const why = error instanceof Error ? error.message.replace(/, [a-z]+(?: '.*)?$/s, '') : String(error);
  return new AppError('source-unreadable', `cannot read ${name}: ${why}`, {
    hint: 'Check that it still exists and may be read, then run again.',
    cause: error,
  });
}
