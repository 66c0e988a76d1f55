/**
 * One line of an S3 server access log (https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html): where its fields lie. Request-URI, referrer and user
 * agent come from the client and may hold spaces and quotes, unescaped: their ends are found by the fields around them, which have types.
 */
import { isDigit } from './time';

export const REJECT_S3_ACCESS_LINE_INVALID: i32 = 11;
export const REJECT_S3_ACCESS_LINE_TRUNCATED: i32 = 12;

// Fields by their place in the line.
export const TIME: i32 = 2;
export const KEY: i32 = 7;
export const REQUEST_URI: i32 = 8;
export const HTTP_STATUS: i32 = 9;
export const ERROR_CODE: i32 = 10;
export const BYTES_SENT: i32 = 11;
export const TURN_AROUND_TIME: i32 = 14;
export const REFERRER: i32 = 15;
export const USER_AGENT: i32 = 16;
export const VERSION_ID: i32 = 17;
export const SIGNATURE_VERSION: i32 = 19;
export const AUTHENTICATION_TYPE: i32 = 21;
export const HOST_HEADER: i32 = 22;
export const TLS_VERSION: i32 = 23;
export const ACCESS_POINT_ARN: i32 = 24;
export const ACL_REQUIRED: i32 = 25;
/** Source region is the last one known; AWS appends new fields at the end. */
export const KNOWN_FIELDS: i32 = 27;

const SPACE: u8 = 0x20;
const QUOTE: u8 = 0x22;
const STAR: u8 = 0x2a;
const DASH: u8 = 0x2d;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;
const LETTER_Y: u8 = 0x59;
// Little-endian words that typed fields begin with.
const WORD_SIGV: u32 = 0x56676953;
const WORD_AUTH: u32 = 0x68747541;
const WORD_QUERY: u32 = 0x72657551;
const WORD_ARN: u32 = 0x3a6e7261;
const THREE_BYTES: u32 = 0xffffff;
const WORD_TLS: u32 = 0x534c54;

/** By field: address and length of its text. */
const places: usize = memory.data(KNOWN_FIELDS * 8, 8);

/** Fields that the line has, at most KNOWN_FIELDS; what follows them, when `further` is not 0. */
export let fieldCount: i32 = 0;
export let further: usize = 0;
export let furtherEnd: usize = 0;
/** Where a line that is no record stops being one. */
export let failedAt: usize = 0;

export function fieldText(field: i32): usize {
  return load<u32>(places + ((<usize>field) << 3));
}

export function fieldLength(field: i32): usize {
  return load<u32>(places + ((<usize>field) << 3) + 4);
}

// @ts-ignore: decorator
@inline
function place(field: i32, start: usize, end: usize): void {
  const at = places + ((<usize>field) << 3);
  store<u32>(at, <u32>start);
  store<u32>(at + 4, <u32>(end - start));
}

function fail(at: usize, end: usize): i32 {
  failedAt = at;
  return at >= end ? REJECT_S3_ACCESS_LINE_TRUNCATED : REJECT_S3_ACCESS_LINE_INVALID;
}

/** Finds the fields of the line [start, end), which neither a line end nor spaces end; 0, or why it is no record. */
export function splitLine(start: usize, end: usize): i32 {
  further = 0;
  let at = start;
  for (let field = 0; field <= KEY; field++) {
    const after = field == TIME ? timeEnd(at, end) : wordEnd(at, end);
    if (after == at || after >= end) return fail(after, end);
    if (field == TIME) place(field, at + 1, after - 1);
    else place(field, at, after);
    at = after + 1;
  }
  at = splitRequestUri(at, end);
  if (at == 0) return fail(failedAt, end);
  at = splitAgent(at + 1, end);
  if (at == 0) return fail(failedAt, end);
  return splitRest(at, end);
}

/** The byte after the bracket that closes the time; `at` when none opens there. */
function timeEnd(at: usize, end: usize): usize {
  if (load<u8>(at) != OPEN_BRACKET) return at;
  let after = at + 1;
  while (after < end && load<u8>(after) != CLOSE_BRACKET) after++;
  if (after >= end) return end;
  return load<u8>(after + 1) == SPACE ? after + 1 : at;
}

/** The first space at or after `at`, or the end. */
function wordEnd(at: usize, end: usize): usize {
  const spaces = i8x16.splat(SPACE);
  for (; at < end; at += 16) {
    const stops = i8x16.bitmask(i8x16.eq(v128.load(at), spaces));
    if (stops != 0) return min<usize>(at + ctz(stops), end);
  }
  return end;
}

/** The first quote at or after `at`, or the end. */
function quoteAt(at: usize, end: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  for (; at < end; at += 16) {
    const stops = i8x16.bitmask(i8x16.eq(v128.load(at), quotes));
    if (stops != 0) return min<usize>(at + ctz(stops), end);
  }
  return end;
}

/** The last quote in [from, end), or 0. */
function lastQuote(from: usize, end: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  while (end >= from + 16) {
    const stops = i8x16.bitmask(i8x16.eq(v128.load(end - 16), quotes));
    if (stops != 0) return end - 16 + (31 - clz(stops));
    end -= 16;
  }
  while (end > from) if (load<u8>(--end) == QUOTE) return end;
  return 0;
}

// @ts-ignore: decorator
@inline
function isDash(at: usize, end: usize): bool {
  return load<u8>(at) == DASH && at < end && (at + 1 == end || load<u8>(at + 1) == SPACE);
}

/**
 * The byte after the turn-around time; or 0. The Request-URI ends at the first quote after which status, error code and four numbers follow: a URI itself holds
 * no spaces (RFC 9112, section 3.2), the headers behind it may.
 */
function splitRequestUri(at: usize, end: usize): usize {
  if (isDash(at, end)) {
    place(REQUEST_URI, at, at + 1);
    return at + 1 < end ? splitStatus(at + 2, end) : failAt(end);
  }
  if (load<u8>(at) != QUOTE) return failAt(at);
  let truncated = true;
  for (let quote = quoteAt(at + 1, end); quote < end; quote = quoteAt(quote + 1, end)) {
    if (quote + 1 < end && load<u8>(quote + 1) != SPACE) continue;
    const after = quote + 1 < end ? splitStatus(quote + 2, end) : failAt(end);
    if (after != 0) {
      place(REQUEST_URI, at + 1, quote);
      return after;
    }
    truncated = failedAt >= end;
  }
  return failAt(truncated ? end : at);
}

function failAt(at: usize): usize {
  failedAt = at;
  return 0;
}

/** Places the fields from the status to the turn-around time and returns the byte after them, or 0. It looks no farther than the next quote. */
function splitStatus(at: usize, end: usize): usize {
  let after = numberEnd(at, end);
  if (after - at != (isDigit(at) ? 3 : 1)) return failAt(after >= end ? end : at);
  place(HTTP_STATUS, at, after);
  at = after + 1;
  after = at;
  while (after < end && load<u8>(after) != SPACE && load<u8>(after) != QUOTE) after++;
  if (after >= end) return failAt(end);
  if (after == at || load<u8>(after) != SPACE) return failAt(after);
  place(ERROR_CODE, at, after);
  for (let field = BYTES_SENT; field <= TURN_AROUND_TIME; field++) {
    at = after + 1;
    after = numberEnd(at, end);
    if (after == at) return failAt(at);
    place(field, at, after);
    if (after >= end) return failAt(end);
  }
  const next = load<u8>(after + 1);
  return next == QUOTE || next == DASH ? after : failAt(after + 1);
}

/** The space or the end after a whole number, `-` or `*`; `at` where none of them is. */
function numberEnd(at: usize, end: usize): usize {
  let after = at;
  const first = load<u8>(at);
  if (first == DASH || first == STAR) after++;
  if (first != STAR) while (after < end && isDigit(after)) after++;
  if (after >= end) return end;
  return load<u8>(after) == SPACE ? after : at;
}

/** Places referrer and user agent, and returns the byte after them; or 0. */
function splitAgent(at: usize, end: usize): usize {
  let agent = at;
  if (isDash(at, end)) {
    place(REFERRER, at, at + 1);
    agent = at + 2;
    if (agent >= end) return failAt(end);
    if (isDash(agent, end)) {
      place(USER_AGENT, agent, agent + 1);
      return agent + 1;
    }
  }
  if (load<u8>(agent) != QUOTE) return failAt(agent);
  const close = agentEnd(agent, end);
  if (close == 0) return failAt(end);
  if (agent != at) {
    place(USER_AGENT, agent + 1, close);
    return close + 1;
  }
  // Both are whatever the client wrote: in between is the first place that can be.
  for (let quote = quoteAt(at + 1, close); quote + 2 < close; quote = quoteAt(quote + 1, close)) {
    if (load<u8>(quote + 1) != SPACE || load<u8>(quote + 2) != QUOTE) continue;
    place(REFERRER, at + 1, quote);
    place(USER_AGENT, quote + 3, close);
    return close + 1;
  }
  place(REFERRER, at + 1, close);
  if (close + 2 >= end) return failAt(end);
  if (!isDash(close + 2, end)) return failAt(close + 2);
  place(USER_AGENT, close + 2, close + 3);
  return close + 3;
}

/** Fields after the user agent that tell it from what a client made to look like its end. */
const TELLING_FIELDS: i32 = HOST_HEADER - USER_AGENT;

/**
 * The quote that ends the user agent, or 0. The known fields after it hold no quotes, so it is the last one, unless AWS appended a quoted field: then the last
 * one with all known fields between itself and the next quote.
 */
function agentEnd(open: usize, end: usize): usize {
  const last = lastQuote(open + 1, end);
  if (last == 0) return 0;
  if (endsField(last, end) && typedFields(last + 2, end) >= TELLING_FIELDS) return last;
  let next = last;
  for (let quote = lastQuote(open + 1, last); quote != 0; quote = lastQuote(open + 1, quote)) {
    if (load<u8>(quote + 1) == SPACE && typedFields(quote + 2, next) == KNOWN_FIELDS - VERSION_ID) return quote;
    next = quote;
  }
  return endsField(last, end) ? last : 0;
}

// @ts-ignore: decorator
@inline
function endsField(quote: usize, end: usize): bool {
  return quote + 1 >= end || load<u8>(quote + 1) == SPACE;
}

/** How many fields from the version id on lie in [at, end); 0 when one of them is not what it must be. */
function typedFields(at: usize, end: usize): i32 {
  let field = VERSION_ID;
  for (; field < KNOWN_FIELDS && at < end; field++) {
    const after = wordEnd(at, end);
    if (!isTyped(field, at, after)) return 0;
    at = after + 1;
  }
  return field - VERSION_ID;
}

function isTyped(field: i32, at: usize, after: usize): bool {
  const length = after - at;
  if (length == 0) return false;
  if (length == 1 && load<u8>(at) == DASH) return true;
  const word = load<u32>(at);
  if (field == SIGNATURE_VERSION) return length > 4 && word == WORD_SIGV;
  if (field == AUTHENTICATION_TYPE) return length > 4 && (word == WORD_AUTH || word == WORD_QUERY);
  if (field == TLS_VERSION) return length > 3 && (word & THREE_BYTES) == WORD_TLS;
  if (field == ACCESS_POINT_ARN) return length > 4 && word == WORD_ARN;
  if (field == ACL_REQUIRED) return length == 3 && load<u8>(at) == LETTER_Y;
  return true;
}

/** Places the fields after the user agent. */
function splitRest(at: usize, end: usize): i32 {
  fieldCount = VERSION_ID;
  while (at < end) {
    if (load<u8>(at) != SPACE) return fail(at, end);
    if (fieldCount == KNOWN_FIELDS) {
      further = at + 1;
      furtherEnd = end;
      return 0;
    }
    const after = wordEnd(at + 1, end);
    if (after == at + 1) return fail(after, end);
    place(fieldCount++, at + 1, after);
    at = after;
  }
  return 0;
}

/** Whether the line begins as every record does: a canonical user id of 64 hexadecimal digits, a bucket, and a time in brackets. */
export function beginsLikeRecord(start: usize, end: usize): bool {
  const bucket = wordEnd(start, end) + 1;
  if (bucket - start != CANONICAL_ID_LENGTH + 1) return false;
  for (let at = start; at + 1 < bucket; at++) if (!isHexDigit(load<u8>(at))) return false;
  const time = wordEnd(bucket, end) + 1;
  return time < end && load<u8>(time) == OPEN_BRACKET;
}

const CANONICAL_ID_LENGTH: usize = 64;

// @ts-ignore: decorator
@inline
function isHexDigit(byte: u8): bool {
  return <u32>byte - 0x30 < 10 || <u32>byte - 0x61 < 6;
}
