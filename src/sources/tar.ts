/** Tar archives: ustar, GNU and PAX headers (POSIX.1-2017 pax, and the GNU tar manual's "Basic Tar Format"). */
import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { fsPath, keyOf, pathOf } from '../keys.ts';
import { openPayload, unreadable } from '../payload.ts';
import type { ListingProblem, LogFile, Scope } from '../source.ts';
import { type Archive, damagedArchive, memberName, stopIfAborted, unreadableMember } from './members.ts';

/** Headers and contents begin at multiples of this. */
export const TAR_BLOCK_BYTES = 512;
/** Long names and PAX records are text about one member; a header that claims more is damaged. */
const EXTENSION_BYTES = 1_048_576;
/** A member's content is handed on by so much. */
const BODY_BYTES = 65_536;

interface Member {
  readonly name: string;
  readonly sizeBytes: number;
  /** Position of the content in the uncompressed archive. */
  readonly start: number;
  /** Not null when the content is not laid out as one run of bytes. */
  readonly unsupported: string | null;
}

/** The uncompressed archive, read forward only. */
interface TarInput {
  readonly position: number;
  /** Fewer than `count` bytes only at the end. Valid until the next call. */
  read(count: number): Promise<Buffer>;
  /** Moves forward to `position`, or to the end if that comes first. */
  seek(position: number): Promise<void>;
}

export function isTarHeader(block: Uint8Array): boolean {
  return (
    block.length >= TAR_BLOCK_BYTES &&
    Buffer.from(block.subarray(257, 262)).toString('latin1') === 'ustar' &&
    isChecked(block)
  );
}

/** Members as ranges of the archive itself, in its order: a tar has no directory by which they could be sorted. */
export async function* listTar(
  archive: Archive,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<LogFile | ListingProblem, void, undefined> {
  const { path, sizeBytes } = archive;
  const input = new RangeInput(path, sizeBytes);
  try {
    const damage = yield* list(archive, input, scope, signal, async function* (member) {
      const length = Math.min(member.sizeBytes, sizeBytes - member.start);
      yield { sizeBytes: length, content: { type: 'file', path, start: member.start, length, method: 'stored' } };
    });
    if (damage !== null) yield damagedArchive(path, damage);
  } finally {
    input.close();
  }
}

/** Members as streams: the next one is looked for when the one before was read to its end, or was not opened when it is asked for. */
export async function* listCompressedTar(
  archive: Archive,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<LogFile | ListingProblem, void, undefined> {
  const { path, sizeBytes } = archive;
  const payload = openPayload({ path, start: 0, length: sizeBytes, method: 'stored' });
  const slices = payload[Symbol.asyncIterator]();
  const input = new StreamInput(slices);
  try {
    const damage = yield* list(archive, input, scope, signal, async function* (member, key) {
      const opened: Readable[] = [];
      let isOver = false;
      const open = async (): Promise<Readable> => {
        if (isOver || opened.length > 0)
          throw new Error(`${key} was opened twice, or after the next member was asked for`);
        opened.push(Readable.from(input.body(member.sizeBytes), { objectMode: false, highWaterMark: BODY_BYTES }));
        return opened[0] as Readable;
      };
      yield { sizeBytes: member.sizeBytes, content: { type: 'stream', open } };
      isOver = true;
      // A reader that gives up destroys its stream; that is no failure of the archive.
      for (const body of opened) await finished(body, { writable: false }).catch(() => {});
    });
    if (payload.damage !== null) yield damagedArchive(path, payload.damage.detail);
    else if (damage !== null) yield damagedArchive(path, damage);
  } finally {
    await slices.return?.();
  }
}

type Body = (member: Member, key: string) => AsyncIterable<Pick<LogFile, 'sizeBytes' | 'content'>>;

/** Returns what is wrong with the archive, or null. */
async function* list(
  archive: Archive,
  input: TarInput,
  scope: Scope,
  signal: AbortSignal,
  body: Body,
): AsyncGenerator<LogFile | ListingProblem, string | null, undefined> {
  const members = readMembers(input);
  for (let step = await members.next(); ; step = await members.next()) {
    stopIfAborted(signal, archive.path);
    if (step.done === true) return step.value;
    const member = step.value;
    const name = memberName(archive.path, member.name, scope);
    if (name === null) continue;
    if (member.unsupported !== null)
      yield unreadableMember(name.key, member.unsupported, 'Unpack it with tar, and name the file.');
    // The same name may stand in a tar more than once; the place tells its members apart.
    else
      for await (const part of body(member, name.key))
        yield { ...name, version: `${archive.mtimeMs}@${member.start}`, ...part };
  }
}

/** The regular files of a tar. Whoever takes a member may read its content; the next header is found anyway. */
async function* readMembers(input: TarInput): AsyncGenerator<Member, string | null, undefined> {
  let isEnded = false;
  let common = new Map<string, Buffer>();
  let own = new Map<string, Buffer>();
  for (;;) {
    const at = input.position;
    const block = await input.read(TAR_BLOCK_BYTES);
    if (block.every((byte) => byte === 0)) {
      if (block.length === 0) return isEnded ? null : 'it has no end mark: it was cut short';
      // Tars that were strung together go on behind the end mark of the first.
      isEnded = true;
      continue;
    }
    isEnded = false;
    if (block.length < TAR_BLOCK_BYTES) return `it ends inside the header at byte ${at}`;
    const header = parseHeader(block);
    if (header === null) return `the header at byte ${at} is not valid`;
    const start = input.position;
    if ('xgLK'.includes(header.type)) {
      if (!(header.sizeBytes <= EXTENSION_BYTES))
        return `the header at byte ${at} announces ${header.sizeBytes} bytes of names`;
      const bytes = Buffer.from(await input.read(header.sizeBytes));
      if (bytes.length < header.sizeBytes) return `it ends inside the header at byte ${at}`;
      if (header.type === 'x') own = new Map([...own, ...paxRecords(bytes)]);
      else if (header.type === 'g') common = new Map([...common, ...paxRecords(bytes)]);
      else if (header.type === 'L')
        own.set('path', bytes.subarray(0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0)));
      await input.seek(start + padded(header.sizeBytes));
      continue;
    }
    const pax = new Map([...common, ...own]);
    own = new Map();
    const sizeBytes = pax.has('size') ? Number(pax.get('size')?.toString('latin1')) : header.sizeBytes;
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return `the header at byte ${at} states an impossible size`;
    const name = pathOf(pax.get('path') ?? header.name);
    const isSparse = header.type === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'));
    const isFile = '0\u00007S'.includes(header.type) && !(header.type === '\u0000' && name.endsWith('/'));
    // Links, devices and folders have no content, whatever their size says.
    const end = start + ('123456'.includes(header.type) ? 0 : padded(sizeBytes));
    if (isFile) yield { name, sizeBytes, start, unsupported: isSparse ? 'it is stored as a sparse file' : null };
    await input.seek(end);
    if (input.position < end) return `it ends inside ${keyOf(name)}`;
  }
}

interface Header {
  readonly name: Buffer;
  readonly type: string;
  readonly sizeBytes: number;
}

/** Null when the block is no header. */
function parseHeader(block: Buffer): Header | null {
  if (!isChecked(block)) return null;
  const name = text(block, 0, 100);
  // GNU's magic is `ustar  `; there, the prefix field holds times.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : Buffer.alloc(0);
  return {
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    type: block.toString('latin1', 156, 157),
    sizeBytes: number(block, 124, 12),
  };
}

/** The checksum counts its own eight bytes as spaces. */
function isChecked(block: Uint8Array): boolean {
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) sum += at >= 148 && at < 156 ? 0x20 : (block[at] ?? 0);
  return number(Buffer.from(block.subarray(0, TAR_BLOCK_BYTES)), 148, 8) === sum;
}

function text(block: Buffer, start: number, length: number): Buffer {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal digits, or a big-endian number where the first bit is set. NaN when it is neither. */
function number(block: Buffer, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  const first = field[0] ?? 0;
  if (first & 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, first & 0x7f);
  const digits = text(block, start, length).toString('latin1').trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(`0${digits}`, 8) : Number.NaN;
}

/** `<length> <key>=<value>\n`, over and over; the length counts all of it. What is not so ends the reading. */
function paxRecords(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at);
    const length = Number(bytes.toString('latin1', at, space));
    const equals = bytes.indexOf('=', space);
    if (space < 0 || equals < 0 || !Number.isSafeInteger(length) || length <= 0 || at + length > bytes.length) break;
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
}

/** A tar that can be read at any place. */
class RangeInput implements TarInput {
  position = 0;
  private readonly path: string;
  private readonly sizeBytes: number;
  private readonly fd: number;
  private readonly block = Buffer.alloc(TAR_BLOCK_BYTES);

  constructor(path: string, sizeBytes: number) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    try {
      this.fd = openSync(fsPath(path), 'r');
    } catch (error) {
      throw unreadable(keyOf(path), error);
    }
  }

  async read(count: number): Promise<Buffer> {
    const length = Math.max(0, Math.min(count, this.sizeBytes - this.position));
    const buffer = length <= TAR_BLOCK_BYTES ? this.block.subarray(0, length) : Buffer.alloc(length);
    let filled = 0;
    try {
      for (let got = -1; filled < buffer.length && got !== 0; filled += got)
        got = readSync(this.fd, buffer, filled, buffer.length - filled, this.position + filled);
    } catch (error) {
      throw unreadable(keyOf(this.path), error);
    }
    this.position += filled;
    return buffer.subarray(0, filled);
  }

  async seek(position: number): Promise<void> {
    this.position = Math.min(position, this.sizeBytes);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A tar that comes out of a decompressor. */
class StreamInput implements TarInput {
  position = 0;
  private readonly slices: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(slices: AsyncIterator<Uint8Array>) {
    this.slices = slices;
  }

  /** At most `count` bytes that are at hand; none at the end. */
  private async some(count: number): Promise<Uint8Array> {
    while (this.rest.length === 0) {
      const next = await this.slices.next();
      if (next.done === true) break;
      this.rest = next.value;
    }
    const taken = this.rest.subarray(0, count);
    this.rest = this.rest.subarray(taken.length);
    this.position += taken.length;
    return taken;
  }

  async read(count: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.body(count)) parts.push(part);
    return Buffer.concat(parts);
  }

  async seek(position: number): Promise<void> {
    while (this.position < position && (await this.some(position - this.position)).length > 0);
  }

  async *body(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = count; left > 0; ) {
      const part = await this.some(Math.min(left, BODY_BYTES));
      if (part.length === 0) return;
      left -= part.length;
      yield part;
    }
  }
}
