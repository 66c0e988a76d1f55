/** Takes records of every format out of the envelopes that they arrived in. What is one, and what is counted how: docs/envelopes.md. */
import { gunzipSync } from 'node:zlib';
import type { Envelopes, Piece, Unwrapper } from '../envelope.ts';
import { HEAD_BYTES, REJECT_TEXT_BYTES } from '../format.ts';
import {
  ENVELOPE_KEYS,
  FIELD_KEY,
  MESSAGE_KEY,
  type Payload,
  payloadOf,
  stringUnder,
  VALUE_KEY,
} from './envelope-shapes.ts';
import { jsonHead } from './json-head.ts';
import { type JsonValues, loadJsonValues, type Range } from './json-values.ts';
import { openLakeResults } from './lake-results.ts';
import { BATCH_BYTES, RecordBatches } from './record-batches.ts';
import { ValueSequence } from './value-sequence.ts';

/** Envelopes in envelopes, such as SQS around SNS around EventBridge: each takes up to five steps. */
const DEPTH_MAX = 24;
/**
 * What all gzip in one message may inflate to, and what its payloads, one in another, may take in memory, in sizes of the largest record: the largest that AWS
 * hands over have 10 MiB, and logs are compressed to a tenth.
 */
const PAYLOAD_RECORDS = 4;
/** Rejects that wait to be handed over. */
const REJECTS_MAX = 1000;
/** Line of a CloudWatch Logs export: its time, and the message. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html */
const EXPORTED = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z /u;
const EXPORTED_BYTES = 40;
/** Gzip in base64. */
const GZIP_BASE64 = 'H4sI';
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/u;
/** Shorter text is a word. */
const BASE64_BYTES_MIN = 8;

const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const FOREIGN = 'what it holds is no record that trailhound knows';

type FormatOf = (record: Uint8Array) => string | null;

export interface EnvelopesOptions {
  /** A larger envelope becomes a reject. */
  readonly recordBytes: number;
  readonly values: JsonValues;
}

/** What reads the JSON of envelopes: one for each thread. */
export const loadEnvelopeValues = (): Promise<JsonValues> => loadJsonValues(ENVELOPE_KEYS);

export const createEnvelopes = ({ recordBytes, values }: EnvelopesOptions): Envelopes => ({
  open: (head, formatOf) => {
    const results = openLakeResults(head, formatOf, recordBytes);
    if (results !== null) return results;
    const detection = new Detection(values, formatOf);
    return detection.isWrapped(head.subarray(0, HEAD_BYTES)) ? new Unwrapping(values, formatOf, recordBytes) : null;
  },
});

const isGzip = (bytes: Buffer, { start, end }: Range): boolean =>
  end - start > 2 && bytes[start] === 0x1f && bytes[start + 1] === 0x8b;

/** The format of a line that is a record. What begins as JSON and is none is no text either, whatever space is before it. */
function formatOfLine(formatOf: FormatOf, bytes: Buffer, { start, end }: Range): string | null {
  const line = bytes.subarray(start, end);
  return jsonHead(line) === null ? formatOf(line) : null;
}

/** The message of an exported line; null when the line is none. */
function exportedMessage(bytes: Buffer, { start, end }: Range): Range | null {
  const time = EXPORTED.exec(bytes.toString('latin1', start, Math.min(start + EXPORTED_BYTES, end)));
  return time === null ? null : { start: start + time[0].length, end };
}

const isKnownLine = ({ bytes }: JsonValues, formatOf: FormatOf, line: Range, mayBeRecord: boolean): boolean =>
  exportedMessage(bytes, line) !== null || (mayBeRecord && formatOfLine(formatOf, bytes, line) !== null);

/** The base64 text in a line when it encodes JSON or gzip; null for any other line. */
function encodedText(values: JsonValues, line: Range): Range | null {
  if (line.end - line.start < BASE64_BYTES_MIN) return null;
  const text = values.bytes.toString('latin1', line.start, line.end);
  if (!BASE64.test(text)) return null;
  const decoded = values.decodeBase64(line);
  const holds = isGzip(values.bytes, decoded) || values.bytes[values.skipSpace(decoded.start)] === OPEN_OBJECT;
  values.release(decoded);
  return holds ? line : null;
}

/** So many records without an envelope before them make a file plain; a single one may be what is left of a broken envelope. */
const PLAIN_RECORDS = 3;

/** Looks at the beginning of a file: the first envelope there decides, or that there are records and none. */
class Detection {
  readonly #values: JsonValues;
  readonly #formatOf: FormatOf;

  constructor(values: JsonValues, formatOf: FormatOf) {
    this.#values = values;
    this.#formatOf = formatOf;
  }

  isWrapped(head: Uint8Array): boolean {
    const range = this.#values.load([head]);
    const sequence = new ValueSequence(this.#values, {
      limit: HEAD_BYTES,
      whole: 'the file',
      isOurs: ({ start, end }) => this.#object(start, end) !== null,
      isKnownLine: (line, mayBeRecord) => isKnownLine(this.#values, this.#formatOf, line, mayBeRecord),
    });
    sequence.read(range, head.length < HEAD_BYTES);
    let records = 0;
    for (let item = sequence.next(); item !== null; item = sequence.next()) {
      const start = item.type === 'broken' ? range.start + item.offset : item.start;
      const verdict = this.#look({ start, end: item.type === 'broken' ? start + item.length : item.end });
      if (verdict === 'envelope') return true;
      if (verdict === 'record' && ++records === PLAIN_RECORDS) return false;
    }
    // The last one is cut by the end of the head.
    return this.#look(sequence.rest) === 'envelope';
  }

  #look({ start, end }: Range): 'envelope' | 'record' | null {
    if (start >= end) return null;
    let first = start;
    while (this.#values.bytes[first] === OPEN_ARRAY) first = this.#values.skipSpace(first + 1);
    return this.#values.bytes[first] === OPEN_OBJECT ? this.#object(first, end) : this.#line({ start, end });
  }

  /** Of an object that is broken or cut, the members before that must give it away. */
  #object(start: number, end: number, depth = 0): 'envelope' | 'record' | null {
    this.#values.objectEnd(start);
    const payload = payloadOf(this.#values);
    if (payload === null) return this.#record({ start, end });
    if (!payload.isFrameOfRecords) return 'envelope';
    const first = this.#values.skipSpace(payload.start + 1);
    if (this.#values.bytes[first] !== OPEN_OBJECT || depth === DEPTH_MAX) return null;
    return this.#object(first, end, depth + 1);
  }

  #line(line: Range): 'envelope' | 'record' | null {
    const { bytes } = this.#values;
    if (bytes.toString('latin1', line.start, line.start + GZIP_BASE64.length) === GZIP_BASE64) return 'envelope';
    const message = exportedMessage(bytes, line);
    if (message === null) return formatOfLine(this.#formatOf, bytes, line) === null ? null : 'record';
    // Many logs have lines that begin with a time: what follows it must be of ours.
    const start = this.#values.skipSpace(message.start);
    let holds: unknown = null;
    this.#values.bounded(line.end, () => {
      holds = bytes[start] === OPEN_OBJECT ? this.#object(start, line.end) : this.#record(message);
      holds ??= encodedText(this.#values, message);
    });
    return holds === null ? null : 'envelope';
  }

  #record({ start, end }: Range): 'record' | null {
    return this.#formatOf(this.#values.bytes.subarray(start, end)) === null ? null : 'record';
  }
}

class Unwrapping implements Unwrapper {
  readonly #values: JsonValues;
  readonly #formatOf: FormatOf;
  readonly #limit: number;
  readonly #sequence: ValueSequence;
  readonly #batches = new RecordBatches();
  #rejects: Piece[] = [];
  /** Records and rejects so far. */
  #count = 0;
  /** Bytes that wait for more, so many that it is worth to look at them again. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #wantedBytes = 0;
  /** Of the message that is being unwrapped, in the file. */
  #offset = 0;
  /** What it may yet inflate to. */
  #inflatable = 0;

  constructor(values: JsonValues, formatOf: FormatOf, limit: number) {
    this.#values = values;
    this.#formatOf = formatOf;
    this.#limit = limit;
    this.#sequence = this.#sequenceOf('the file');
  }

  *push(bytes: Uint8Array, last: boolean, isCut = false): Generator<Piece, void> {
    this.#pendingBytes += bytes.length;
    if (!last && this.#pendingBytes < this.#wantedBytes) {
      this.#pending.push(Uint8Array.from(bytes));
      return;
    }
    const range = this.#values.load([...this.#pending, bytes]);
    this.#sequence.read(range, last, isCut);
    for (let item = this.#sequence.next(); item !== null; item = this.#sequence.next()) {
      this.#offset = item.type === 'broken' ? item.offset : this.#sequence.offsetOf(item.start);
      this.#inflatable = PAYLOAD_RECORDS * this.#limit;
      this.#take(item, 0);
      if (this.#batches.bytes >= BATCH_BYTES || this.#rejects.length >= REJECTS_MAX) yield* this.#taken();
    }
    this.#pending = [Uint8Array.from(this.#values.bytes.subarray(this.#sequence.kept, range.end))];
    this.#pendingBytes = range.end - this.#sequence.kept;
    this.#wantedBytes = this.#sequence.wantedBytes;
    yield* this.#taken();
  }

  *#taken(): Generator<Piece, void> {
    yield* this.#batches.take();
    const rejects = this.#rejects;
    this.#rejects = [];
    yield* rejects;
  }

  #sequenceOf(whole: 'the file' | 'what it holds'): ValueSequence {
    return new ValueSequence(this.#values, {
      limit: this.#limit,
      whole,
      isOurs: (object) => payloadOf(this.#values) !== null || this.#formatOf(this.#text(object)) !== null,
      isKnownLine: (line, mayBeRecord) => isKnownLine(this.#values, this.#formatOf, line, mayBeRecord),
    });
  }

  /** What a sequence found. */
  #take(item: NonNullable<ReturnType<ValueSequence['next']>>, depth: number): void {
    switch (item.type) {
      case 'object':
        return this.#object(item, depth);
      case 'array':
        return this.#elements(item, depth);
      case 'scalar':
        return this.#foreign(item);
      case 'line':
        return this.#line(item, depth);
      case 'broken': {
        const { reason, detail, length, text } = item;
        this.#rejects.push({ recordNo: this.#count++, offset: this.#offset, length, reason, detail, text });
      }
    }
  }

  /** The object that objectEnd() passed last. */
  #object(object: Range, depth: number): void {
    if (depth > DEPTH_MAX) return this.#reject(object, 'envelope-too-deep', 'too many envelopes one in another');
    const payload = payloadOf(this.#values);
    if (payload === null) return this.#record(object);
    this.#unlessEmpty(object, () => this.#payload(payload, depth + 1));
  }

  #payload({ how, start, end }: Payload, depth: number): void {
    switch (how) {
      case 'raw':
        this.#values.objectEnd(start);
        return this.#object({ start, end }, depth);
      case 'text':
        return this.#string({ start, end }, depth);
      case 'base64':
        return this.#base64({ start, end }, depth);
      case 'each':
        return this.#elements({ start, end }, depth);
      case 'log-events':
        return this.#eachOf(start, (at) => this.#logEvent(at, depth));
      case 'query-results':
        return this.#eachOf(start, (at) => this.#row(at, depth));
    }
  }

  /** A value in valid JSON, whatever it is; returns where it ends. */
  #value(start: number, depth: number): number {
    const byte = this.#values.bytes[start];
    if (byte === OPEN_OBJECT) {
      const end = this.#values.objectEnd(start);
      this.#object({ start, end }, depth);
      return end;
    }
    const end = this.#values.valueEnd(start);
    if (byte === OPEN_ARRAY) this.#elements({ start, end }, depth);
    else this.#foreign({ start, end });
    return end;
  }

  #elements(array: Range, depth: number): void {
    if (depth > DEPTH_MAX) return this.#reject(array, 'envelope-too-deep', 'too many envelopes one in another');
    this.#unlessEmpty(array, () => this.#eachOf(array.start, (at) => this.#value(at, depth + 1)));
  }

  /** Calls `take` with where each element of a list in valid JSON begins; it returns where it ends. */
  #eachOf(list: number, take: (at: number) => number): void {
    let at = this.#values.skipSpace(list + 1);
    while (this.#values.bytes[at] !== CLOSE_ARRAY) {
      at = this.#values.skipSpace(take(at));
      if (this.#values.bytes[at] === COMMA) at = this.#values.skipSpace(at + 1);
    }
  }

  /** `{ id, timestamp, message }` */
  #logEvent(start: number, depth: number): number {
    if (this.#values.bytes[start] !== OPEN_OBJECT) return this.#value(start, depth);
    const end = this.#values.objectEnd(start);
    const message = stringUnder(this.#values, MESSAGE_KEY);
    if (message === null) this.#object({ start, end }, depth);
    else this.#unlessEmpty({ start, end }, () => this.#string(message, depth));
    return end;
  }

  /** `[{ field: '@message', value: '…' }, …]`, as Logs Insights answers. */
  #row(start: number, depth: number): number {
    let message: Range | null = null;
    if (this.#values.bytes[start] === OPEN_ARRAY) {
      this.#eachOf(start, (at) => {
        if (this.#values.bytes[at] !== OPEN_OBJECT) return this.#values.valueEnd(at);
        const end = this.#values.objectEnd(at);
        const field = stringUnder(this.#values, FIELD_KEY);
        if (field !== null && this.#values.bytes.toString('latin1', field.start, field.end) === '"@message"')
          message = stringUnder(this.#values, VALUE_KEY);
        return end;
      });
    }
    const end = this.#values.valueEnd(start);
    const row = { start, end };
    const found: Range | null = message;
    if (found === null) this.#foreign(row);
    else this.#unlessEmpty(row, () => this.#string(found, depth));
    return end;
  }

  /** Bytes that may yet be decoded. */
  get #room(): number {
    return PAYLOAD_RECORDS * this.#limit - this.#values.held;
  }

  #string(string: Range, depth: number): void {
    if (string.end - string.start > this.#room) return this.#tooLarge(string);
    const text = this.#values.decodeText(string);
    this.#content(text, depth);
    this.#values.release(text);
  }

  #base64(string: Range, depth: number): void {
    if (2 * (string.end - string.start) > this.#room) return this.#tooLarge(string);
    const text = this.#values.decodeText(string);
    this.#encoded(text, depth);
    this.#values.release(text);
  }

  #encoded(text: Range, depth: number): void {
    const decoded = this.#values.decodeBase64(text);
    this.#content(decoded, depth);
    this.#values.release(decoded);
  }

  /** What a payload holds: gzip of such, or values one behind the other, or lines. */
  #content(content: Range, depth: number): void {
    if (isGzip(this.#values.bytes, content)) return this.#gzip(content, depth);
    if (depth > DEPTH_MAX) return this.#reject(content, 'envelope-too-deep', 'too many envelopes one in another');
    // Mostly it is one object.
    const start = this.#values.skipSpace(content.start);
    if (this.#values.bytes[start] === OPEN_OBJECT && content.end - start <= this.#limit) {
      const end = this.#values.objectEnd(start);
      if (end > 0 && this.#values.skipSpace(end) >= content.end) return this.#object({ start, end }, depth);
    }
    const sequence = this.#sequenceOf('what it holds');
    sequence.read(content, true);
    for (let item = sequence.next(); item !== null; item = sequence.next()) this.#take(item, depth);
  }

  #gzip(content: Range, depth: number): void {
    let inflated: Buffer;
    try {
      const packed = this.#values.bytes.subarray(content.start, content.end);
      inflated = gunzipSync(packed, { maxOutputLength: Math.max(1, Math.min(this.#inflatable, this.#room)) });
    } catch {
      return this.#reject(content, 'envelope-unreadable', 'what it holds is no whole gzip, or too large');
    }
    this.#inflatable -= inflated.length;
    const text = this.#values.add(inflated);
    this.#content(text, depth + 1);
    this.#values.release(text);
  }

  #line(line: Range, depth: number): void {
    const format = formatOfLine(this.#formatOf, this.#values.bytes, line);
    if (format !== null) return this.#add(format, this.#text(line));
    const message = exportedMessage(this.#values.bytes, line);
    if (message !== null)
      return this.#unlessEmpty(line, () => this.#values.bounded(line.end, () => this.#content(message, depth + 1)));
    const encoded = encodedText(this.#values, line);
    if (encoded === null) return this.#foreign(line);
    this.#unlessEmpty(line, () => this.#encoded(encoded, depth + 1));
  }

  #record(record: Range): void {
    const text = this.#text(record);
    const format = this.#formatOf(text);
    if (format === null) this.#foreign(record);
    else this.#add(format, text);
  }

  #add(format: string, record: Uint8Array): void {
    this.#batches.add(format, record, this.#count++, this.#offset);
  }

  #text({ start, end }: Range): Uint8Array {
    return this.#values.bytes.subarray(start, end);
  }

  #tooLarge(payload: Range): void {
    this.#reject(payload, 'envelope-unreadable', 'what it holds is too large');
  }

  #foreign(range: Range): void {
    this.#reject(range, 'envelope-foreign', FOREIGN);
  }

  /** Nothing that came in may be uncounted: what gives neither a record nor a reject is one. */
  #unlessEmpty(envelope: Range, unwrap: () => void): void {
    const before = this.#count;
    unwrap();
    if (this.#count === before) this.#reject(envelope, 'envelope-empty', 'it holds nothing');
  }

  #reject({ start, end }: Range, reason: string, detail: string): void {
    const text = Uint8Array.from(this.#values.bytes.subarray(start, Math.min(end, start + REJECT_TEXT_BYTES)));
    this.#rejects.push({ recordNo: this.#count++, offset: this.#offset, length: end - start, reason, detail, text });
  }
}
