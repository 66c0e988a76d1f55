/** Zip archives, read in place: each member is a range of the file (APPNOTE 6.3.10; https://support.pkware.com/pkzip/appnote). */
import { hash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { createInflateRaw } from 'node:zlib';
import { fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl';
import { AppError } from '../errors.ts';
import { fsPath, keyOf, pathOf } from '../keys.ts';
import { unreadable } from '../payload.ts';
import type { ListingProblem, LogFile, Scope } from '../source.ts';
import { type Archive, damagedArchive, memberName, nameOf, stopIfAborted, unreadableMember } from './members.ts';

const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const DATA_DESCRIPTOR = 0x08074b50;
const CENTRAL_HEADER = 0x02014b50;
/** What may stand where the last member has ended: the central directory, its end, and both for zip64. */
const DIRECTORY_SIGNATURES: ReadonlySet<number> = new Set([CENTRAL_HEADER, 0x06054b50, 0x06064b50, 0x07064b50]);
const STORED = 0;
const DEFLATE = 8;
const ENCRYPTED = 0x01;
/** The sizes stand behind the content instead of before it. */
const SIZES_FOLLOW = 0x08;
const ZIP64 = 0xffffffff;
const ZIP64_EXTRA = 1;
/** The central directory is read by so much; an entry that is looked up again, with what stands behind it. */
const WINDOW_BYTES = 1_048_576;
const ENTRY_WINDOW_BYTES = 16_384;
/** Fixed part of an entry of the central directory. */
const ENTRY_BYTES = 46;
/** Entries between two looks at everything else that the process has to do. */
const ENTRIES_PER_TURN = 1000;
/** Members that are held and sorted at once where one day has more: about 10 MB. */
const SORTED_MEMBERS = 50_000;

/** Where the entries of each day stand in the file, in the order of the directory: eight bytes each, for there may be millions. Empty is the day of names that tell none. */
type Days = Map<string, number[]>;

interface Member {
  /** As pathOf() writes it. */
  readonly name: string;
  /** Of its local header, which stands right before the content. */
  readonly offset: number;
  readonly flags: number;
  readonly method: number;
  /** Null when nothing states it. */
  readonly crc: number | null;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
}

export function isZip(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const signature = new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true);
  return signature === LOCAL_HEADER || signature === 0x06054b50 || signature === DATA_DESCRIPTOR;
}

/** Newest day first. Where the directory is missing or damaged, the rest is found by going from member to member. */
export async function* listZip(
  archive: Archive,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<LogFile | ListingProblem, void, undefined> {
  const file = new ZipFile(archive.path);
  try {
    const days: Days = new Map();
    const damage = await readDirectory(file, archive.path, scope, signal, days);
    const listed = damage === null ? null : new Set<number>();
    for (const day of [...days.keys()].sort().reverse()) {
      for (const { member, isAgain } of membersAt(file, days.get(day) ?? [])) {
        stopIfAborted(signal, archive.path);
        listed?.add(member.offset);
        // A zip may hold a name twice, and evidence may be in either.
        yield logFile(file, archive.path, member, isAgain ? `#${member.offset}` : '');
      }
      days.delete(day);
    }
    if (damage === null) return;
    for await (const member of walkMembers(file, archive.path, scope)) {
      stopIfAborted(signal, archive.path);
      if (listed?.has(member.offset) !== true) yield logFile(file, archive.path, member);
    }
    yield damagedArchive(archive.path, damage.message, damage);
  } finally {
    file.release();
  }
}

/** The members whose entries stand at `places`, by name where they are no more than are sorted at once, and whether another of the same name came before. */
function* membersAt(
  file: ZipFile,
  places: readonly number[],
): Generator<{ readonly member: Member; readonly isAgain: boolean }, void, undefined> {
  const repeated = places.length > SORTED_MEMBERS ? repeatedNames(file, places) : null;
  const met = new Set<string>();
  for (let first = 0; first < places.length; first += SORTED_MEMBERS) {
    const members = places.slice(first, first + SORTED_MEMBERS).map((place) => memberAt(file, place));
    members.sort((a, b) => (a.name === b.name ? a.offset - b.offset : a.name < b.name ? -1 : 1));
    let before: string | null = null;
    for (const member of members) {
      yield { member, isAgain: member.name === before || met.has(member.name) };
      before = member.name;
      if (repeated?.has(markOf(member.name)) === true) met.add(member.name);
    }
  }
}

/** The marks of the names that more than one of these entries has. A mark that two names share costs only a look at the names. */
function repeatedNames(file: ZipFile, places: readonly number[]): ReadonlySet<number> {
  const marks = Float64Array.from(places, (place) => markOf(memberAt(file, place).name)).sort();
  return new Set(marks.filter((mark, at) => mark === marks[at - 1]));
}

/** 48 bits by which a name is told from others. */
function markOf(name: string): number {
  return hash('sha1', name, 'buffer').readUIntBE(0, 6);
}

/** Reads the central directory into `days`. Returns what is wrong with it, or null. */
async function readDirectory(
  file: ZipFile,
  path: string,
  scope: Scope,
  signal: AbortSignal,
  days: Days,
): Promise<Error | null> {
  try {
    const zip = await fromRandomAccessReaderPromise(file, file.sizeBytes, {
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: false,
    });
    let count = 0;
    for await (const entry of zip.eachEntry()) {
      if (++count % ENTRIES_PER_TURN === 0) await setImmediate();
      stopIfAborted(signal, path);
      const wanted = wantedName(path, entry.fileNameRaw, scope);
      if (wanted === null) continue;
      // Its types call it a boolean; it is where the next entry begins.
      const behind = Number(zip.readEntryCursor);
      const place = behind - entry.fileNameLength - entry.extraFieldLength - entry.fileCommentLength - ENTRY_BYTES;
      const places = days.get(wanted.day);
      if (places === undefined) days.set(wanted.day, [place]);
      else places.push(place);
    }
    return null;
  } catch (error) {
    // Ours say what is wrong with the run or the disk; whatever else yauzl throws is about the zip.
    if (error instanceof AppError || !(error instanceof Error)) throw error;
    return error;
  }
}

/** The member whose entry of the central directory stands at `place`. Throws `source-unreadable` when it stood there and does not any more. */
function memberAt(file: ZipFile, place: number): Member {
  const entry = file.peek(place, ENTRY_BYTES, ENTRY_WINDOW_BYTES);
  if (entry.length < ENTRY_BYTES || entry.readUInt32LE(0) !== CENTRAL_HEADER) {
    throw new AppError('source-unreadable', `cannot read ${keyOf(file.path)}: it changed while it was listed`, {
      hint: 'Run it again on a copy that nobody writes to.',
    });
  }
  const [nameBytes, extraBytes] = [entry.readUInt16LE(28), entry.readUInt16LE(30)];
  const text = file.peek(place + ENTRY_BYTES, nameBytes + extraBytes, ENTRY_WINDOW_BYTES);
  const [sizeBytes, compressedBytes, offset] = wideNumbers(text.subarray(nameBytes), [
    entry.readUInt32LE(24),
    entry.readUInt32LE(20),
    entry.readUInt32LE(42),
  ]);
  return {
    name: pathOf(text.subarray(0, nameBytes)),
    offset,
    flags: entry.readUInt16LE(8),
    method: entry.readUInt16LE(10),
    crc: entry.readUInt32LE(16),
    compressedBytes,
    sizeBytes,
  };
}

/** Numbers that four bytes cannot hold stand in the extra field of zip64, in their order. */
function wideNumbers<const T extends readonly number[]>(extra: Buffer, numbers: T): { [K in keyof T]: number } {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== ZIP64_EXTRA) at += 4 + extra.readUInt16LE(at + 2);
  at += 4;
  return numbers.map((number) => {
    if (number !== ZIP64 || at + 8 > extra.length) return number;
    at += 8;
    return Number(extra.readBigUInt64LE(at - 8));
  }) as { [K in keyof T]: number };
}

/** Null for folders, and for what the scope does not want. */
function wantedName(path: string, raw: Buffer, scope: Scope): { readonly name: string; readonly day: string } | null {
  const name = pathOf(raw);
  const member = /[\\/]$/.test(name) ? null : memberName(path, name, scope);
  return member === null ? null : { name, day: member.hint.day ?? '' };
}

function logFile(file: ZipFile, path: string, member: Member, suffix = ''): LogFile | ListingProblem {
  const named = nameOf(path, member.name);
  const key = `${named.key}${suffix}`;
  const advice = 'Unpack it with the tool that made it, and name the folder.';
  if (member.flags & ENCRYPTED) return unreadableMember(key, 'it is encrypted', advice);
  if (member.method !== STORED && member.method !== DEFLATE) {
    return unreadableMember(
      key,
      `compression method ${member.method} is not known, only stored (0) and deflate (8)`,
      advice,
    );
  }
  const header = file.take(member.offset, LOCAL_HEADER_BYTES);
  if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER) {
    return unreadableMember(key, `there is no member at byte ${member.offset} of the zip`, 'Get a whole copy of it.');
  }
  const start = contentStart(member.offset, header);
  // A member that the file cuts short is read as far as it goes.
  const length = Math.max(0, Math.min(member.compressedBytes, file.sizeBytes - start));
  const { crc, sizeBytes, method } = member;
  return {
    key,
    sizeBytes: length,
    version: `${(crc ?? 0).toString(16).padStart(8, '0')}-${sizeBytes}`,
    hint: named.hint,
    content: {
      type: 'file',
      path,
      start,
      length,
      method: method === DEFLATE ? 'deflate' : 'stored',
      ...(crc === null ? {} : { crc32: crc }),
    },
  };
}

function contentStart(offset: number, header: Buffer): number {
  return offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/** From local header to local header, as far as they lead; the last member may be cut short. */
async function* walkMembers(file: ZipFile, path: string, scope: Scope): AsyncGenerator<Member, void, undefined> {
  // A zip that was once split begins with the signature of a descriptor.
  let offset = file.take(0, 4).readUInt32LE(0) === DATA_DESCRIPTOR ? 4 : 0;
  for (;;) {
    const header = file.take(offset, LOCAL_HEADER_BYTES);
    if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER) return;
    const start = contentStart(offset, header);
    const nameBytes = header.readUInt16LE(26);
    const raw = file.take(offset + LOCAL_HEADER_BYTES, nameBytes);
    const extra = file.take(offset + LOCAL_HEADER_BYTES + nameBytes, header.readUInt16LE(28));
    const [flags, method] = [header.readUInt16LE(6), header.readUInt16LE(8)];
    let crc: number | null = header.readUInt32LE(14);
    let [sizeBytes, compressedBytes] = wideNumbers(extra, [header.readUInt32LE(22), header.readUInt32LE(18)]);
    let end: number | null = start + compressedBytes;
    if (flags & SIZES_FOLLOW && compressedBytes === 0) {
      const length = method === DEFLATE && !(flags & ENCRYPTED) ? await deflateLength(path, start) : null;
      const descriptor = length === null ? null : descriptorAt(file, start + length);
      end = descriptor?.end ?? null;
      crc = descriptor?.crc ?? null;
      compressedBytes = length ?? file.sizeBytes - start;
      sizeBytes = compressedBytes;
    }
    const wanted = wantedName(path, raw, scope);
    if (wanted !== null) yield { name: wanted.name, offset, flags, method, crc, compressedBytes, sizeBytes };
    if (end === null) return;
    offset = end;
  }
}

/** Where the deflate data that begins at `start` ends; null when it is damaged. */
async function deflateLength(path: string, start: number): Promise<number | null> {
  const inflater = createInflateRaw();
  const stream = createReadStream(fsPath(path), { start });
  stream.pipe(inflater).resume();
  try {
    await finished(inflater, { writable: false });
    return inflater.bytesWritten;
  } catch {
    return null;
  } finally {
    stream.destroy();
    inflater.destroy();
  }
}

/** A descriptor has 12 to 24 bytes, and nothing says how many: what follows it does. Null when nothing known follows. */
function descriptorAt(file: ZipFile, offset: number): { readonly end: number; readonly crc: number } | null {
  const head = file.take(offset, 8);
  if (head.length < 8) return null;
  const crc = head.readUInt32LE(head.readUInt32LE(0) === DATA_DESCRIPTOR ? 4 : 0);
  for (const length of [16, 24, 12, 20]) {
    const end = offset + length;
    const next = file.take(end, 4);
    const signature = next.length < 4 ? 0 : next.readUInt32LE(0);
    const isEnd = end === file.sizeBytes || signature === LOCAL_HEADER || DIRECTORY_SIGNATURES.has(signature);
    if (isEnd) return { end, crc };
  }
  return null;
}

/** The zip as yauzl wants it. Its own reader asks the system twice for each member; this one reads the directory in windows. */
class ZipFile extends RandomAccessReader {
  readonly sizeBytes: number;
  private readonly fd: number;
  readonly path: string;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  constructor(path: string) {
    super();
    this.path = path;
    try {
      this.fd = openSync(fsPath(path), 'r');
      this.sizeBytes = fstatSync(this.fd).size;
    } catch (error) {
      throw unreadable(keyOf(path), error);
    }
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const copied = this.peek(position, length, WINDOW_BYTES).copy(buffer, offset);
    callback(copied < length ? new Error('it ends early') : null);
  }

  /** Fewer bytes only at the end of the file. Reads `ahead` bytes at once, for what is asked for next. */
  peek(position: number, length: number, ahead: number): Buffer {
    if (position < this.windowStart || position + length > this.windowStart + this.window.length) {
      this.windowStart = position;
      this.window = this.take(position, Math.max(ahead, length));
    }
    const at = position - this.windowStart;
    return this.window.subarray(at, at + length);
  }

  /** Fewer bytes only at the end of the file. */
  take(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - position)));
    if (bytes.length === 0) return bytes;
    try {
      return bytes.subarray(0, readSync(this.fd, bytes, 0, bytes.length, position));
    } catch (error) {
      throw unreadable(keyOf(this.path), error);
    }
  }

  release(): void {
    closeSync(this.fd);
  }
}
