/** JSON values one behind the other, in lists or frames or alone, and lines of text between them: finds each, and costs nothing but itself what is broken. */
import { REJECT_TEXT_BYTES, type Reject } from '../format.ts';
import { PAYLOAD_OBJECTS } from './envelope-shapes.ts';
import type { JsonValues, Range } from './json-values.ts';
import { describeByte } from './scanner-host.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const RETURN = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Bytes that a value may have more of at the beginning of a line, when its author broke it into lines: no other value begins there. */
const GOES_ON: ReadonlySet<number | undefined> = new Set([
  SPACE,
  TAB,
  RETURN,
  NEWLINE,
  QUOTE,
  COMMA,
  CLOSE_OBJECT,
  CLOSE_ARRAY,
]);
/** What a list begins with, where a line of text would go on otherwise. */
const IN_LIST: ReadonlySet<number | undefined> = new Set([OPEN_OBJECT, OPEN_ARRAY, QUOTE, CLOSE_ARRAY]);

/** Frames that may hold gigabytes: their elements are read one by one. Nothing stands before the list. */
const FRAME_KEYS: ReadonlySet<string> = new Set(['Records', 'records', 'Events', 'events', 'Messages']);
/** The longest key that is compared. */
const KEY_BYTES = 64;
/** Spaces between the values that may be looked over. */
const SPACES_MAX = 64;
/** Bytes before a place that are kept, to tell whether a value begins there. */
const LOOK_BEHIND = 2 * SPACES_MAX + KEY_BYTES;
const FOREIGN = 'between envelopes stands what is none';
/** How often over a file may be read in vain, where values were looked for that are none; beyond that each is looked for in its own line, so that no input takes more than linear time. */
const RESCANS_MAX = 4;
const FREE_RESCAN_BYTES = 1024 * 1024;

/** `scalar`: a value in a list that is neither object nor list. After an `object` its members can be asked for. */
type Item = (Range & { readonly type: 'object' | 'array' | 'scalar' | 'line' }) | Broken;

/** A stretch that holds no value that could be read. */
interface Broken extends Omit<Reject, 'recordNo'> {
  readonly type: 'broken';
}

interface Breaking {
  readonly reason: string;
  readonly detail: string;
  readonly offset: number;
  /** A line of text: only a line end ends it. */
  readonly isLine: boolean;
  /** The key that it begins with: what begins alike is another one even where a value is due. */
  readonly firstKey: string | null;
  /** No object before this place is one of ours: what is too large is probably whole, and then all in it is its own. */
  readonly from: number;
  /** Searched up to here. */
  at: number;
  /** Bytes of its text that are kept, and up to where they go. */
  readonly text: Buffer[];
  textBytes: number;
  textEnd: number;
  /** Open brackets at `at`, of what may end with its own; null where brackets prove nothing. */
  levels: number | null;
  inString: boolean;
  isEscaped: boolean;
}

export interface SequenceOptions {
  /** A larger value is broken. */
  readonly limit: number;
  /** What its offsets are counted in, for a person. */
  readonly whole: 'the file' | 'what it holds';
  /** Whether the object that objectEnd() passed last, here, is an envelope or a record. */
  readonly isOurs: (object: Range) => boolean;
  /** Whether this is a line that may hold anything; or where text is to be expected, since the file is no JSON, a record. */
  readonly isKnownLine: (line: Range, mayBeRecord: boolean) => boolean;
}

export class ValueSequence {
  readonly #values: JsonValues;
  readonly #options: SequenceOptions;
  /** Where the bytes at hand begin, and where they end. */
  #from = 0;
  #end = 0;
  #at = 0;
  #isLast = false;
  #isCut = false;
  /** Offset in the whole = address + shift. */
  #shift = 0;
  /** Lists that are open, of frames or alone. */
  #frames = 0;
  #breaking: Breaking | null = null;
  /** Bytes that were read as a value and are none, and will be read again. */
  #inVain = 0;
  /** What comes began inside something broken. */
  #isResumed = false;
  /** Whether it begins with JSON; null before it begins. */
  #isJson: boolean | null = null;
  #wanted = 0;

  constructor(values: JsonValues, options: SequenceOptions) {
    this.#values = values;
    this.#options = options;
  }

  /** Goes on with bytes in the memory: those from `kept` on that it had, and further ones. */
  read({ start, end }: Range, isLast: boolean, isCut = false): void {
    const distance = start - this.kept;
    this.#at += distance;
    this.#shift -= distance;
    if (this.#breaking !== null) {
      this.#breaking.at += distance;
      this.#breaking.textEnd += distance;
    }
    this.#from = start;
    this.#end = end;
    this.#isLast = isLast;
    this.#isCut = isCut;
    this.#wanted = 0;
  }

  /** Where the bytes begin that are still needed: some before the next value, to see what it follows. */
  get kept(): number {
    return Math.max((this.#breaking?.at ?? this.#at) - LOOK_BEHIND, this.#from);
  }

  /** Bytes from `kept` on without which nothing further can be told: trying again at twice the size keeps trying linear. */
  get wantedBytes(): number {
    return this.#wanted - this.kept;
  }

  /** Where the value begins that next() did not find the end of. */
  get rest(): Range {
    return { start: this.#at, end: this.#end };
  }

  offsetOf(address: number): number {
    return address + this.#shift;
  }

  /** The next one; null when it takes more bytes, or when there is none. */
  next(): Item | null {
    for (;;) {
      const found = this.#breaking === null ? this.#find() : this.#mend(this.#breaking);
      if (found !== 'go-on') return found;
    }
  }

  get #bytes(): Buffer {
    return this.#values.bytes;
  }

  #find(): Item | 'go-on' | null {
    const bytes = this.#bytes;
    let at = this.#at;
    if (this.offsetOf(at) === 0 && bytes[at] === 0xef) {
      if (this.#end - at < 3 && !this.#isLast) return null;
      if (bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3;
    }
    at = this.#values.skipSpace(at);
    while (this.#isSeparator(bytes[at])) at = this.#values.skipSpace(at + 1);
    this.#at = at;
    if (at >= this.#end) return null;
    const byte = bytes[at];
    this.#isJson ??= byte === OPEN_OBJECT || byte === OPEN_ARRAY;
    const isLineStart = this.#isLineStart(at);
    if (isLineStart) this.#isResumed = false;
    if (byte === OPEN_OBJECT) {
      const inside = this.#frames === 0 || isLineStart ? this.#frameAt(at) : 0;
      return inside > 0 ? this.#open(inside) : this.#whole('object');
    }
    if (this.#frames === 0) {
      if (byte !== OPEN_ARRAY) return this.#text();
      const inside = this.#values.skipSpace(at + 1);
      if (inside >= this.#end && !this.#isLast) return this.#incomplete();
      return IN_LIST.has(bytes[inside]) ? this.#open(at + 1) : this.#text();
    }
    if (byte === CLOSE_ARRAY) return this.#close();
    if (byte === OPEN_ARRAY) return this.#whole('array');
    // Where a frame was broken, lines may follow that are no part of it.
    if (isLineStart && !GOES_ON.has(byte)) return this.#text();
    return this.#whole('scalar');
  }

  /** Behind what was broken, brackets may close what it opened. */
  #isSeparator(byte: number | undefined): boolean {
    if (byte === COMMA) return true;
    return this.#isResumed && (byte === CLOSE_OBJECT || (byte === CLOSE_ARRAY && this.#frames === 0));
  }

  /** Whether text may be lines: behind a value it is none. */
  #isFirstInLine(at: number): boolean {
    const lowest = Math.max(at - SPACES_MAX, this.#from);
    let from = at;
    while (from > lowest && (this.#bytes[from - 1] === SPACE || this.#bytes[from - 1] === TAB)) from--;
    return this.#isLineStart(from);
  }

  #isLineStart(at: number): boolean {
    return this.offsetOf(at) === 0 || this.#bytes[at - 1] === NEWLINE;
  }

  /** Goes into a list. */
  #open(inside: number): 'go-on' {
    this.#frames++;
    this.#at = inside;
    return 'go-on';
  }

  /** The place after `{"Records":[` and its like; 0 where there is none. */
  #frameAt(at: number): number {
    const name = this.#values.skipSpace(at + 1);
    const key = this.#keyAt(name);
    if (key === null || !FRAME_KEYS.has(key)) return 0;
    const colon = this.#values.skipSpace(name + key.length + 2);
    const list = this.#bytes[colon] === COLON ? this.#values.skipSpace(colon + 1) : 0;
    return list > 0 && this.#bytes[list] === OPEN_ARRAY ? list + 1 : 0;
  }

  /** The text between the quote at `at` and the next one; null where there is none, or none near. */
  #keyAt(at: number): string | null {
    const bytes = this.#bytes;
    if (bytes[at] !== QUOTE) return null;
    const limit = Math.min(at + 1 + KEY_BYTES, this.#end);
    for (let to = at + 1; to < limit; to++) if (bytes[to] === QUOTE) return bytes.toString('latin1', at + 1, to);
    return null;
  }

  /** Goes out of a list. What follows it in the object that holds it is frame too. */
  #close(): 'go-on' | Item | null {
    let at = this.#values.skipSpace(this.#at + 1);
    while (this.#bytes[at] === COMMA) {
      const member = this.#values.skipSpace(at + 1);
      if (member >= this.#end && !this.#isLast) return this.#incomplete();
      if (this.#bytes[member] !== QUOTE) break;
      const value = this.#values.memberValue(member);
      const isObject = value > 0 && this.#bytes[value] === OPEN_OBJECT;
      const after = value === 0 ? 0 : isObject ? this.#values.objectEnd(value) : this.#values.valueEnd(value);
      if (after === 0 && this.#values.failedAt >= this.#end) return this.#incomplete();
      if ((after === 0 ? this.#values.failedAt : after) - this.#at > this.#options.limit)
        return this.#tooLarge('value');
      // The frame may be cut, and what follows be none of its members.
      const isCut = after > 0 && isObject && this.#options.isOurs({ start: value, end: after });
      if (after === 0 || isCut) {
        this.#frames--;
        return isCut ? this.#break('json-invalid', 'an envelope follows before its frame ends') : this.#invalid();
      }
      at = this.#values.skipSpace(after);
    }
    if (at >= this.#end && !this.#isLast) return this.#incomplete();
    this.#frames--;
    this.#at = this.#bytes[at] === CLOSE_OBJECT ? at + 1 : at;
    return 'go-on';
  }

  /** The value at the place where it is. */
  #whole(type: 'object' | 'array' | 'scalar'): Item | 'go-on' | null {
    const start = this.#at;
    let after = 0;
    const read = (): void => {
      after = type === 'object' ? this.#values.objectEnd(start) : this.#values.valueEnd(start);
    };
    if (this.#isOverBudget(start)) {
      const end = this.#lineEnd(start);
      if (end === this.#end && !this.#isLast) return this.#incomplete();
      this.#values.bounded(end, read);
    } else read();
    if (after === 0 && this.#values.failedAt >= this.#end) return this.#incomplete();
    if ((after === 0 ? this.#values.failedAt : after) - start > this.#options.limit) return this.#tooLarge('value');
    if (type === 'scalar') return this.#scalar(after);
    if (after === 0) return this.#invalid();
    this.#at = after;
    return { type, start, end: after };
  }

  /** What is neither object nor list is a value if the list goes on behind it, or ends: a stray quote would make a string of the beginning of the next value. */
  #scalar(after: number): Item | 'go-on' | null {
    if (after === 0) return this.#break('envelope-foreign', FOREIGN);
    const next = this.#values.skipSpace(after);
    if (next >= this.#end && !this.#isLast) return this.#incomplete();
    const byte = this.#bytes[next];
    if (next < this.#end && byte !== COMMA && byte !== CLOSE_ARRAY) return this.#break('envelope-foreign', FOREIGN);
    const start = this.#at;
    this.#at = after;
    return { type: 'scalar', start, end: after };
  }

  /** Whether so much was read in vain that no value may go over more than one line. */
  #isOverBudget(at: number): boolean {
    return this.#inVain > RESCANS_MAX * this.offsetOf(at) + FREE_RESCAN_BYTES;
  }

  #invalid(): 'go-on' {
    const { failedAt, isTooDeep, maxDepth } = this.#values;
    this.#inVain += failedAt - this.#at;
    if (isTooDeep) return this.#break('nested-too-deep', `more than ${maxDepth} levels of objects and arrays`);
    const byte = describeByte(this.#bytes[failedAt] ?? 0);
    const detail = `no JSON goes on with ${byte} at byte ${this.offsetOf(failedAt)} of ${this.#options.whole}`;
    return this.#break('json-invalid', detail);
  }

  /** The next line end, or where the bytes end. */
  #lineEnd(at: number): number {
    const length = this.#bytes.subarray(at, this.#end).indexOf(NEWLINE);
    const end = length < 0 ? this.#end : at + length;
    this.#values.passed += end - at;
    return end;
  }

  /**
   * What is no JSON: a line of text, or what is left of a broken envelope that others follow in its line. Of a payload it is always a line: whoever may write
   * into a log must not make records of it by what looks like one.
   */
  #text(): Item | 'go-on' | null {
    const start = this.#at;
    const isFile = this.#options.whole === 'the file';
    if (isFile && !this.#isFirstInLine(start)) return this.#break('envelope-foreign', FOREIGN);
    const end = this.#lineEnd(start);
    const hasEnd = end < this.#end;
    if (!hasEnd && !this.#isLast) return this.#incomplete('line');
    if (end - start > this.#options.limit) return this.#tooLarge('line');
    if (!hasEnd && this.#isCut) return this.#break('envelope-truncated', 'the file ends inside a line', 'line');
    const line = { start, end };
    if (isFile && !this.#options.isKnownLine(line, !this.#isJson) && this.#holdsNext(line))
      return this.#break('envelope-foreign', FOREIGN);
    this.#at = end;
    return { type: 'line', start, end };
  }

  /** Whether one of ours follows in this line: behind another object, unless all is JSON but for what is broken. */
  #holdsNext({ start, end }: Range): boolean {
    let holds = false;
    this.#values.bounded(end, () => {
      for (let at = start + 1; at < end && !holds && !this.#isOverBudget(start); at++) {
        if (this.#bytes[at] !== OPEN_OBJECT) continue;
        const behind = this.#separatorStart(at, start);
        if (this.#isJson !== true && (behind === start || this.#bytes[behind - 1] !== CLOSE_OBJECT)) continue;
        const after = this.#values.objectEnd(at);
        this.#inVain += (after === 0 ? this.#values.failedAt : after) - at;
        holds = after > 0 && this.#options.isOurs({ start: at, end: after });
      }
    });
    this.#values.passed += end - start;
    return holds;
  }

  #incomplete(what: 'value' | 'line' = 'value'): 'go-on' | null {
    const size = this.#end - this.#at;
    const { limit, whole } = this.#options;
    if (size > limit) return this.#tooLarge(what);
    if (this.#isLast) {
      this.#inVain += size;
      return this.#break('envelope-truncated', `${whole} ends inside an envelope`, what);
    }
    this.#wanted = this.#at + Math.min(2 * size, limit + 1);
    return null;
  }

  #tooLarge(what: 'value' | 'line'): 'go-on' {
    const { limit } = this.#options;
    this.#inVain += limit;
    return this.#break('record-too-large', `the envelope has more than ${limit} bytes`, what, limit);
  }

  // What is broken: from where on nothing can be told until the next value.

  #break(reason: string, detail: string, what: 'value' | 'line' = 'value', length = 1): 'go-on' {
    const start = this.#at;
    this.#breaking = {
      reason,
      detail,
      offset: this.offsetOf(start),
      isLine: what === 'line',
      firstKey: this.#firstKeyAt(start),
      from: this.offsetOf(start) + length,
      at: start,
      text: [],
      textBytes: 0,
      textEnd: start,
      levels: reason === 'record-too-large' && what === 'value' ? 0 : null,
      inString: false,
      isEscaped: false,
    };
    return 'go-on';
  }

  /**
   * Looks for the end of what is broken: a line that begins with no more of it; an object of ours that no colon makes a part of it; or, where nothing is known
   * to be wrong with it but its size, its own closing bracket.
   */
  #mend(breaking: Breaking): Item | null {
    const from = breaking.at;
    const item = this.#endOf(breaking);
    this.#values.passed += breaking.at - from;
    return item;
  }

  #endOf(breaking: Breaking): Item | null {
    for (; breaking.at < this.#end; breaking.at++) {
      const { at } = breaking;
      const byte = this.#bytes[at];
      if (byte === NEWLINE) {
        if (at + 1 >= this.#end && !this.#isLast) return this.#wait(breaking);
        if (at + 1 < this.#end && (breaking.isLine || !GOES_ON.has(this.#bytes[at + 1])))
          return this.#mended(breaking, at + 1);
      } else if (byte === OPEN_OBJECT && !breaking.isLine && this.offsetOf(at) >= breaking.from) {
        const begins = this.#beginsAnother(breaking);
        if (begins === null) return this.#wait(breaking);
        if (begins) return this.#mended(breaking, at);
      }
      if (breaking.levels !== null && closes(breaking, byte)) return this.#mended(breaking, at + 1);
    }
    return this.#isLast ? this.#mended(breaking, this.#end) : this.#wait(breaking);
  }

  /** More bytes are needed; of those at hand the text of the reject is kept. */
  #wait(breaking: Breaking): null {
    this.#keepText(breaking, breaking.at);
    return null;
  }

  #keepText(breaking: Breaking, to: number): void {
    const { textEnd, textBytes } = breaking;
    if (to <= textEnd) return;
    const part = this.#bytes.subarray(textEnd, Math.min(to, textEnd + REJECT_TEXT_BYTES - textBytes));
    if (part.length > 0) breaking.text.push(Buffer.from(part));
    breaking.textBytes += part.length;
    breaking.textEnd = to;
  }

  #mended(breaking: Breaking, next: number): Broken {
    const { reason, detail, offset, text } = breaking;
    this.#keepText(breaking, next);
    const after = next === this.#end ? next : this.#separatorStart(next, offset - this.#shift);
    const length = this.offsetOf(after) - offset;
    this.#breaking = null;
    this.#at = next;
    this.#isResumed = true;
    return {
      type: 'broken',
      reason,
      detail,
      offset,
      length,
      text: Uint8Array.from(Buffer.concat(text)).subarray(0, length),
    };
  }

  /** The comma before the next value, and spaces around it, are neither's. */
  #separatorStart(next: number, start: number): number {
    const lowest = Math.max(start, next - SPACES_MAX, this.#from);
    const behind = this.#skipBack(next, lowest);
    return behind > lowest && this.#bytes[behind - 1] === COMMA ? this.#skipBack(behind - 1, lowest) : behind;
  }

  /** The place behind the last byte before `at` that is no space; spaces are looked over as far as `lowest`. */
  #skipBack(at: number, lowest: number): number {
    while (at > lowest && isSpace(this.#bytes[at - 1])) at--;
    return at;
  }

  /** Whether an object of ours begins where the search is; null when more bytes must tell. */
  #beginsAnother(breaking: Breaking): boolean | null {
    const { at } = breaking;
    const unknown = this.#isLast ? false : null;
    let name = at + 1;
    while (name - at <= SPACES_MAX && isSpace(this.#bytes[name])) name++;
    if (name >= this.#end) return unknown;
    if (this.#bytes[name] !== QUOTE) return false;
    if (this.#isPayload(at, breaking)) {
      if (this.#end - name < KEY_BYTES + 2 && !this.#isLast) return null;
      if (breaking.firstKey === null || this.#keyAt(name) !== breaking.firstKey) return false;
    }
    if (this.#isOverBudget(at)) return false;
    const after = this.#values.objectEnd(at);
    const reached = after === 0 ? this.#values.failedAt : after;
    const size = this.#end - at;
    if (after === 0 && reached >= this.#end && !this.#isLast && size <= this.#options.limit) {
      this.#wanted = at + Math.min(2 * size, this.#options.limit + 1);
      return null;
    }
    this.#inVain += Math.min(reached - at, this.#options.limit);
    return after > 0 && after - at <= this.#options.limit && this.#options.isOurs({ start: at, end: after });
  }

  /** Whether the object at `at` is what the broken envelope holds, by the name before it. */
  #isPayload(at: number, { offset }: Breaking): boolean {
    const lowest = Math.max(offset - this.#shift, at - LOOK_BEHIND, this.#from);
    const colon = this.#skipBack(at, lowest) - 1;
    if (colon <= lowest || this.#bytes[colon] !== COLON) return false;
    const quote = this.#skipBack(colon, lowest) - 1;
    const text = this.#bytes.toString('latin1', Math.max(lowest, quote - KEY_BYTES), Math.max(lowest, quote));
    return PAYLOAD_OBJECTS.has(text.slice(text.lastIndexOf('"') + 1));
  }

  #firstKeyAt(at: number): string | null {
    return this.#bytes[at] === OPEN_OBJECT ? this.#keyAt(this.#values.skipSpace(at + 1)) : null;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}

/** Whether this byte, the next one in it, is the bracket that closes what is too large. */
function closes(breaking: Breaking, byte: number | undefined): boolean {
  if (breaking.inString) {
    if (breaking.isEscaped) breaking.isEscaped = false;
    else if (byte === BACKSLASH) breaking.isEscaped = true;
    else if (byte === QUOTE) breaking.inString = false;
    return false;
  }
  if (byte === QUOTE) breaking.inString = true;
  else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) breaking.levels = (breaking.levels ?? 0) + 1;
  else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
    breaking.levels = (breaking.levels ?? 0) - 1;
    return breaking.levels === 0;
  }
  return false;
}
