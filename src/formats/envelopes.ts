/** Takes records of every format out of the envelopes that they arrived in. */
import { gunzipSync } from 'node:zlib';
import type { Envelopes, Piece, Unwrapper } from '../envelope.ts';
import { REJECT_TEXT_BYTES } from '../format.ts';
import { payloadsOf } from './envelope-shapes.ts';
import {
  elementsOf,
  isArray,
  isArrayEnd,
  isComma,
  isObject,
  isObjectEnd,
  membersOf,
  skipSpace,
  textOf,
  valueEnd,
} from './json-slices.ts';

/** Envelopes in envelopes, such as SQS around SNS around EventBridge: each takes up to five steps. */
const DEPTH_MAX = 24;
/** What a payload may inflate to. */
const INFLATED_MAX = 256 * 1024 * 1024;
/** How far into a file it is looked for what gives an envelope away. */
const HEAD_BYTES = 65_536;
const NEWLINE = 0x0a;
/** Line of a CloudWatch Logs export: its time, and the message. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html */
const EXPORTED = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z /u;
/** Gzip in base64. */
const GZIP_BASE64 = 'H4sI';
/** Frames that may hold gigabytes: their elements are read one by one. */
const FRAME = /^\s*\{\s*"(?:Records|records|Events|events|Messages)"\s*:\s*\[/u;
/** How the files of the formats themselves begin. */
const PLAIN =
  /^\s*(?:\{\s*"Records"\s*:\s*\[\s*)?\[?\s*\{\s*"(?:eventVersion"\s*:\s*"1|timestamp"\s*:\s*\d+\s*,\s*"formatVersion|awsAccountId"\s*:\s*"\d+"\s*,\s*"digest)/u;

type FormatOf = (record: Uint8Array) => string | null;

/** `recordBytes`: a larger envelope becomes a reject. */
export const createEnvelopes = ({ recordBytes }: { readonly recordBytes: number }): Envelopes => ({
  open: (head, _key, formatOf) => {
    const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, HEAD_BYTES));
    return isWrapped(bytes) ? new Unwrapping(formatOf, recordBytes) : null;
  },
});

function isWrapped(bytes: Buffer): boolean {
  const start = skipSpace(bytes, bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0);
  if (!isObject(bytes, start) && !isArray(bytes, start)) {
    const line = bytes.toString('latin1', start, start + 40);
    return EXPORTED.test(line) || line.startsWith(GZIP_BASE64);
  }
  const beginning = bytes.toString('latin1', start, start + 120);
  if (PLAIN.test(beginning)) return false;
  const frame = FRAME.exec(beginning);
  if (frame !== null) {
    const element = skipSpace(bytes, start + frame[0].length);
    return isObject(bytes, element) && isEnvelope(bytes, element);
  }
  const first = isArray(bytes, start) ? skipSpace(bytes, start + 1) : start;
  return isObject(bytes, first) && isEnvelope(bytes, first);
}

/** Of an envelope that is longer than the head, the members that are there must give it away. */
function isEnvelope(bytes: Buffer, at: number): boolean {
  if (payloadsOf(bytes, at) !== null) return true;
  if (valueEnd(bytes, at) >= 0) return false;
  const keys = new Set<string>();
  for (const { key } of membersOf(bytes, at)) keys.add(key);
  return ['detail-type', 'messageType', 'TopicArn', 'receiptHandle', 'ReceiptHandle', 'eventSourceARN'].some((key) =>
    keys.has(key),
  );
}

const NOTHING = Buffer.alloc(0);

class Unwrapping implements Unwrapper {
  readonly #formatOf: FormatOf;
  readonly #limit: number;
  /** Bytes that are not unwrapped yet, and where they begin in the file. */
  #pending: Buffer = NOTHING;
  #offset = 0;
  /** A value that was incomplete is tried again at twice its size. */
  #retryAt = 0;
  /** Inside the array of a frame, or one that stands alone. */
  #inside: 'frame' | 'array' | null = null;
  /** Inside a value that is too large, up to the next line. */
  #isDropping = false;

  constructor(formatOf: FormatOf, limit: number) {
    this.#formatOf = formatOf;
    this.#limit = limit;
  }

  *push(bytes: Uint8Array, last: boolean): Generator<Piece, void> {
    this.#pending = this.#pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#pending, bytes]);
    if (!last && this.#pending.length < this.#retryAt) return;
    this.#retryAt = 0;
    let at = 0;
    for (;;) {
      const next = yield* this.#step(at, last);
      if (next === null) break;
      at = next;
    }
    if (last && at < this.#pending.length) {
      yield this.#reject(at, this.#pending.length, 'envelope-truncated', 'the file ends inside an envelope');
      at = this.#pending.length;
    }
    this.#offset += at;
    this.#pending = this.#pending.subarray(at);
    // A view would keep the whole slice.
    if (this.#pending.length > 0) this.#pending = Buffer.from(this.#pending);
  }

  /** Takes what begins at `from`. Returns where the next one begins, or null when that takes more bytes. */
  *#step(from: number, last: boolean): Generator<Piece, number | null> {
    const bytes = this.#pending;
    if (this.#isDropping) {
      const line = bytes.indexOf(NEWLINE, from);
      this.#isDropping = line < 0;
      return line < 0 ? (from < bytes.length ? bytes.length : null) : line + 1;
    }
    let at = skipSpace(bytes, this.#offset === 0 && from === 0 && bytes[0] === 0xef ? 3 : from);
    while (isComma(bytes, at)) at = skipSpace(bytes, at + 1);
    if (at >= bytes.length) return at > from ? at : null;
    if (this.#inside !== null && isArrayEnd(bytes, at)) return this.#endArray(at, last);
    if (!isObject(bytes, at) && !isArray(bytes, at)) return yield* this.#line(at, last);
    if (this.#inside === null) {
      const frame = isArray(bytes, at) ? '[' : FRAME.exec(bytes.toString('latin1', at, at + 120))?.[0];
      if (frame !== undefined) {
        this.#inside = frame === '[' ? 'array' : 'frame';
        return at + frame.length;
      }
    }
    const end = valueEnd(bytes, at);
    if (end >= 0) {
      yield* this.#unwrap(bytes.subarray(at, end), this.#offset + at, 0);
      return end;
    }
    return yield* this.#incomplete(at, last);
  }

  /** What follows an array in its frame is frame too. */
  #endArray(at: number, last: boolean): number | null {
    const bytes = this.#pending;
    if (this.#inside === 'array') {
      this.#inside = null;
      return at + 1;
    }
    let end = skipSpace(bytes, at + 1);
    if (isComma(bytes, end)) {
      let depth = 1;
      for (; end < bytes.length && depth > 0; end++) {
        if (bytes[end] === 0x22) {
          const after = valueEnd(bytes, end);
          if (after < 0) return last ? bytes.length : null;
          end = after - 1;
        } else if (isObject(bytes, end) || isArray(bytes, end)) depth++;
        else if (isObjectEnd(bytes, end) || isArrayEnd(bytes, end)) depth--;
      }
      if (depth > 0 && !last) return null;
    } else if (isObjectEnd(bytes, end)) end++;
    else if (end >= bytes.length && !last) return null;
    this.#inside = null;
    return end;
  }

  *#line(at: number, last: boolean): Generator<Piece, number | null> {
    const bytes = this.#pending;
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0 && !last) return yield* this.#incomplete(at, last);
    const end = newline < 0 ? bytes.length : newline;
    yield* this.#unwrap(bytes.subarray(at, end), this.#offset + at, 0);
    return Math.min(end + 1, bytes.length);
  }

  *#incomplete(at: number, last: boolean): Generator<Piece, number | null> {
    const bytes = this.#pending;
    const size = bytes.length - at;
    if (size > this.#limit) {
      yield this.#reject(at, bytes.length, 'record-too-large', `the envelope has more than ${this.#limit} bytes`);
      this.#isDropping = true;
      return bytes.length;
    }
    if (!last) {
      this.#retryAt = Math.min(2 * size, this.#limit + 1);
      return null;
    }
    yield this.#reject(at, bytes.length, 'envelope-truncated', 'the file ends inside an envelope');
    return bytes.length;
  }

  /** One value, or text, at any depth. */
  *#unwrap(bytes: Buffer, offset: number, depth: number): Generator<Piece, void> {
    const at = skipSpace(bytes, 0);
    if (at >= bytes.length) return;
    const failed = (reason: string, detail: string): Piece => rejected(bytes, offset, reason, detail);
    if (depth > DEPTH_MAX) {
      yield failed('envelope-too-deep', 'too many envelopes one in another');
      return;
    }
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      const inflated = gunzip(bytes);
      if (inflated === null) yield failed('envelope-unreadable', 'what it holds is no whole gzip, or too large');
      else yield* this.#sequence(inflated, offset, depth + 1);
      return;
    }
    if (isArray(bytes, at)) {
      for (const { start, end } of elementsOf(bytes, at))
        yield* this.#unwrap(bytes.subarray(start, end), offset, depth + 1);
      return;
    }
    if (!isObject(bytes, at)) {
      yield* this.#unwrapText(bytes, offset, depth);
      return;
    }
    const payloads = payloadsOf(bytes, at);
    if (payloads === null) {
      const format = this.#formatOf(bytes);
      yield format === null
        ? failed('envelope-foreign', 'what it holds is no record that trailhound knows')
        : { format, bytes: lined(bytes), offset };
      return;
    }
    let count = 0;
    for (const { how, slice } of payloads) {
      count++;
      if (how === 'raw') {
        yield* this.#unwrap(bytes.subarray(slice.start, slice.end), offset, depth + 1);
        continue;
      }
      const text = textOf(bytes, slice);
      if (text === null) yield failed('envelope-unreadable', 'its payload is no text');
      else if (how === 'text') yield* this.#sequence(text, offset, depth + 1);
      else yield* this.#sequence(Buffer.from(text.toString('latin1'), 'base64'), offset, depth + 1);
    }
    if (count === 0) yield failed('envelope-empty', 'it holds nothing');
  }

  /** Values one behind the other, or lines. */
  *#sequence(bytes: Buffer, offset: number, depth: number): Generator<Piece, void> {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
      yield* this.#unwrap(bytes, offset, depth);
      return;
    }
    for (let at = skipSpace(bytes, 0); at < bytes.length; at = skipSpace(bytes, at)) {
      if (isComma(bytes, at)) {
        at++;
        continue;
      }
      const isJson = isObject(bytes, at) || isArray(bytes, at);
      const newline = bytes.indexOf(NEWLINE, at);
      const end = isJson ? valueEnd(bytes, at) : newline < 0 ? bytes.length : newline;
      if (end < 0) {
        yield rejected(bytes.subarray(at), offset, 'envelope-truncated', 'its payload is cut');
        return;
      }
      yield* this.#unwrap(bytes.subarray(at, end), offset, depth);
      at = end;
    }
  }

  *#unwrapText(bytes: Buffer, offset: number, depth: number): Generator<Piece, void> {
    const format = this.#formatOf(bytes);
    if (format !== null) {
      yield { format, bytes: lined(bytes), offset };
      return;
    }
    const exported = EXPORTED.exec(bytes.toString('latin1', 0, 40));
    if (exported !== null) {
      yield* this.#unwrap(bytes.subarray(exported[0].length), offset, depth + 1);
      return;
    }
    const decoded = decodedBase64(bytes);
    if (decoded === null)
      yield rejected(bytes, offset, 'envelope-foreign', 'what it holds is no record that trailhound knows');
    else yield* this.#sequence(decoded, offset, depth + 1);
  }

  #reject(start: number, end: number, reason: string, detail: string): Piece {
    return rejected(this.#pending.subarray(start, end), this.#offset + start, reason, detail);
  }
}

function rejected(bytes: Buffer, offset: number, reason: string, detail: string): Piece {
  return { offset, length: bytes.length, reason, detail, text: Uint8Array.from(bytes.subarray(0, REJECT_TEXT_BYTES)) };
}

/** Records are told apart by line ends. */
const lined = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.from('\n')]);

function gunzip(bytes: Buffer): Buffer | null {
  try {
    return gunzipSync(bytes, { maxOutputLength: INFLATED_MAX });
  } catch {
    return null;
  }
}

/** What a text encodes when that is JSON or gzip; null for any other text. */
function decodedBase64(bytes: Buffer): Buffer | null {
  const text = bytes.toString('latin1').trim();
  if (text.length < 8 || !/^[A-Za-z0-9+/\s]+={0,2}$/u.test(text)) return null;
  const decoded = Buffer.from(text, 'base64');
  const isGzip = decoded[0] === 0x1f && decoded[1] === 0x8b;
  return isGzip || isObject(decoded, skipSpace(decoded, 0)) ? decoded : null;
}
