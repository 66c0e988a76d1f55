/** A slow and simple reader of S3 access lines, against which the scanner is tested. */

/** Columns in the order of a line. */
export const FIELDS = [
  'bucket_owner',
  'bucket',
  'event_time',
  'remote_ip',
  'requester',
  'request_id',
  'operation',
  'key',
  'request_uri',
  'http_status',
  'error_code',
  'bytes_sent',
  'object_size',
  'total_time_ms',
  'turn_around_time_ms',
  'referrer',
  'user_agent',
  'version_id',
  'host_id',
  'signature_version',
  'cipher_suite',
  'authentication_type',
  'host_header',
  'tls_version',
  'access_point_arn',
  'acl_required',
  'source_region',
] as const;

const KNOWN_AFTER_AGENT = 10;

const HEAD = /^([^ ]+) ([^ ]+) \[([^\]]*)\] ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) /;
const NUMBER = '(-\\d*|\\d+|\\*)';
const STATUS = new RegExp(`^ (\\d{3}|-|\\*) ([^ "]+) ${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER} (?=["-])`);

/** What must stand at each place after the user agent. */
const TYPED = [
  /./s,
  /./s,
  /^(-|SigV.+)$/s,
  /./s,
  /^(-|(?:Auth|Quer).+)$/s,
  /./s,
  /^(-|TLS.+)$/s,
  /^(-|arn:.+)$/s,
  /^(-|Y..)$/s,
  /./s,
];

const quotesOf = (text: string): number[] => [...text.matchAll(/"/g)].map(({ index }) => index);

/** How many fields the text begins with; 0 when one of them cannot be what it is. */
function typedFields(text: string): number {
  const words = text === '' ? [] : text.replace(/ $/, '').split(' ').slice(0, KNOWN_AFTER_AGENT);
  return words.every((word, at) => word !== '' && (word === '-' || TYPED[at]?.test(word))) ? words.length : 0;
}

function agentEnd(text: string): number | null {
  const quotes = quotesOf(text).slice(1);
  const last = quotes.at(-1);
  if (last === undefined) return null;
  const endsField = (at: number): boolean => at + 1 === text.length || text[at + 1] === ' ';
  if (endsField(last) && typedFields(text.slice(last + 2)) >= 6) return last;
  for (const [at, quote] of [...quotes.entries()].reverse()) {
    if (quote === last || text[quote + 1] !== ' ') continue;
    if (typedFields(text.slice(quote + 2, quotes[at + 1])) === KNOWN_AFTER_AGENT) return quote;
  }
  return endsField(last) ? last : null;
}

/** Referrer, user agent and the text behind them. */
function agentOf(text: string): [string, string, string] | null {
  const bare = /^- -(?= |$)/.exec(text);
  if (bare !== null) return ['-', '-', text.slice(3)];
  const start = /^- (?=")/.test(text) ? 2 : 0;
  if (text[start] !== '"') return null;
  const rest = text.slice(start);
  const end = agentEnd(rest);
  if (end === null) return null;
  const inside = rest.slice(1, end);
  if (start === 2) return ['-', inside, rest.slice(end + 1)];
  const middle = inside.indexOf('" "');
  if (middle >= 0) return [inside.slice(0, middle), inside.slice(middle + 3), rest.slice(end + 1)];
  return /^ -(?= |$)/.test(rest.slice(end + 1)) ? [inside, '-', rest.slice(end + 3)] : null;
}

/** The fields of a line as they are written; null when it is no record. What follows the known fields is the last one. */
function readFields(line: string): { readonly fields: readonly string[]; readonly further: string | null } | null {
  const text = line.replace(/\r$/, '').replace(/ +$/, '');
  if (text.includes('\0')) return null;
  const head = HEAD.exec(text);
  if (head === null) return null;
  const rest = text.slice(head[0].length);
  let uri: string | null = null;
  let status: RegExpExecArray | null = null;
  if (rest.startsWith('- ')) {
    uri = '-';
    status = STATUS.exec(rest.slice(1));
  } else if (rest.startsWith('"')) {
    for (const quote of quotesOf(rest).slice(1)) {
      status = STATUS.exec(rest.slice(quote + 1));
      uri = rest.slice(1, quote);
      if (status !== null) break;
    }
  }
  if (uri === null || status === null) return null;
  const agent = agentOf(rest.slice((uri === '-' && !rest.startsWith('"') ? 1 : uri.length + 2) + status[0].length));
  if (agent === null) return null;
  const [referrer, userAgent, tail] = agent;
  if (tail !== '' && !tail.startsWith(' ')) return null;
  const words = tail.split(' ').slice(1);
  const known = words.slice(0, KNOWN_AFTER_AGENT);
  if (known.includes('')) return null;
  const further = words.length > KNOWN_AFTER_AGENT ? words.slice(KNOWN_AFTER_AGENT).join(' ') : null;
  return { fields: [...head.slice(1), uri, ...status.slice(1), referrer, userAgent, ...known], further };
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const EARLIEST = Date.UTC(2006, 0);

function readTime(text: string): number | null {
  const parts = /^(\d\d)\/([A-Z][a-z][a-z])\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text);
  if (parts === null) return null;
  const [, day = '', name = '', year = '', hour = '', minute = '', second = '', sign = '', hours = '', minutes = ''] =
    parts;
  const month = MONTHS.indexOf(name) / 3;
  if (!Number.isInteger(month) || month < 0 || Number(hours) > 23 || Number(minutes) > 59) return null;
  const iso = `${year}-${String(month + 1).padStart(2, '0')}-${day}T${hour}:${minute}:${second}`;
  const time = new Date(`${iso}Z`);
  // Dates that do not exist roll over.
  if (Number.isNaN(time.getTime()) || !time.toISOString().startsWith(iso)) return null;
  return time.getTime() - (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

type Value = string | number | bigint | boolean;

/** The row of a line, without what depends on its place in the file; `latestMs` is the last time that is not absurd. */
export function readRow(line: string, latestMs: number): Record<string, Value> | null {
  const read = readFields(line);
  if (read === null) return null;
  const row: Record<string, Value> = {};
  const extra: Record<string, string> = {};
  for (const [at, text] of read.fields.entries()) {
    const name = FIELDS[at] ?? '';
    if (name === 'acl_required') {
      if (text === 'Yes' || text === '-') row[name] = text === 'Yes';
      else extra[name] = text;
    } else if (text === '-') continue;
    else if (name === 'event_time') {
      const time = readTime(text);
      if (time === null || time < EARLIEST || time > latestMs) extra[name] = text;
      else row[name] = BigInt(time) * 1000n;
    } else if (name === 'http_status' || name === 'object_size' || /_sent$|_ms$/.test(name)) {
      if (/^-?\d{1,18}$/.test(text)) row[name] = Number(BigInt(text));
      else extra[name] = text;
    } else row[name] = text;
  }
  if (read.further !== null) extra['further_fields'] = read.further;
  if (Object.keys(extra).length > 0) row['extra'] = JSON.stringify(extra);
  return row;
}
