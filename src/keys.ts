/** What the name of a log file tells, and how a name of arbitrary bytes becomes a path and a key. */
import { isUtf8 } from 'node:buffer';
import type { KeyHint, Scope } from './source.ts';
import { DAY_MS, dayOf, formatDay } from './time.ts';

/**
 * How much later than its events a log file may be delivered and still be found by a window that ends before its day. CloudTrail delivers within
 * minutes (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html); two days cover the retries after a short outage.
 */
export const DELIVERY_LATENESS_MS = 2 * DAY_MS;
const HOUR_MS = 3_600_000;

const ACCOUNT = /^\d{12}$/;
const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
/** `us-east-1`, `us-gov-west-1`, `ap-southeast-4`, `us-isob-east-1`. */
const REGION = /^[a-z]{2,}(?:-[a-z]+)+-\d{1,2}$/;
const CLOUDTRAIL = /^CloudTrail(?:-[A-Za-z]+)?$/;
/** `<account>_<service>_<region>_…YYYYMMDDTHHMMZ…`; a digest's name holds the trail before the time, and seconds in it. */
const FILE_NAME = /^(\d{12})_([A-Za-z0-9-]+)_([a-z]{2,}(?:-[a-z]+)+-\d{1,2})_(?:.*_)?(\d{4})(\d{2})(\d{2})T\d{4,6}Z/s;
/** What S3 names an access log file by when it delivers it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html. */
const ACCESS_NAME = /((?:19|20)\d\d)-(\d{2})-(\d{2})-(\d{2})-\d{2}-\d{2}-[0-9A-F]{16}$/;
/**
 * Midnight stands for the whole day where S3 partitions access logs by event time, which is the default:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PartitionedPrefix.html.
 */
const WHOLE_DAY = /-00-00-00-[0-9A-F]{16}$/;
/** The same with the time at the end of a CloudTrail file: `…_20240507T0905Z_…`. */
const STAMP = /_(\d{4})(\d{2})(\d{2})T(\d{2})\d{2,4}Z/;
/** Services whose folders below an account hold what trailhound reads. */
const READ_SERVICES = /^(?:CloudTrail(?:-[A-Za-z]+)?|WAFLogs|S3)$/;
/** Results of queries, `CloudTrail-Lake/Query/YYYY/MM/DD/<query>/result_1.csv.gz`. */
const LAKE = 'CloudTrail-Lake';
const FIREHOSE_WAF = /^aws-waf-logs-/;
/** `<stream>-<version>-YYYY-MM-DD-hh-mm-ss-<uuid>`: https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html. */
const FIREHOSE_NAME = /-\d+-(?:19|20)\d\d(?:-\d{2}){5}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const YEAR = /^(?:19|20)\d\d$/;
/** Some services write months and days without the zero. */
const TWO_DIGITS = /^\d{1,2}$/;
const DATE = /^(?:[A-Za-z_]+=)?((?:19|20)\d\d)-(\d{2})-(\d{2})$/;

/** What a folder's path tells. `first` and `last` bound the days below it, `YYYY-MM-DD`, null where it is silent. */
export interface FolderHint {
  readonly service: string | null;
  readonly account: string | null;
  readonly region: string | null;
  readonly first: string | null;
  readonly last: string | null;
  /** The days stand in AWS's own layout. Any other dated folder orders the listing, but may hold files of other days. */
  readonly exact: boolean;
  /** As in KeyHint. */
  readonly isOldestDay?: true;
}

/**
 * Reads the layouts of https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html. The file name counts before
 * the folders. Dates outside AWS's layout (`2024/05/07`, `2024-05-07`, `dt=2024-05-07`) count only from position `from` on: the part of a path above
 * what the user named is about the user's folders, not about deliveries.
 */
export function parseKey(key: string, from = 0): KeyHint {
  const slash = key.lastIndexOf('/');
  return parseFileName(key.slice(slash + 1), parseFolder(slash < 0 ? '' : key.slice(0, slash), from));
}

/** Does a folder hold logs of a service that trailhound has no table for? Said only where AWS's layout names the service. */
export function isForeign(folder: Pick<FolderHint, 'service'>): boolean {
  return folder.service !== null && !READ_SERVICES.test(folder.service);
}

const HOLDS_YEARS = [
  /(?:^|\/)CloudTrail(?:-[A-Za-z]+)?\/[a-z]{2,}(?:-[a-z]+)+-\d{1,2}\/$/,
  /(?:^|\/)WAFLogs\/[^/]+\/[^/]+\/$/,
];

/** Do folders `YYYY/MM/DD`, and nothing else, lie below this one? True only where AWS lays them out and nobody can choose otherwise. `prefix` ends with a slash. */
export const holdsYears = (prefix: string): boolean => HOLDS_YEARS.some((pattern) => pattern.test(prefix));

/** Start of the hour in which a log file was delivered, in ms, where its name tells it. Its events are older, or of that hour. */
export function deliveredHour(key: string): number | null {
  const slash = key.lastIndexOf('/');
  const name = key.slice(slash + 1);
  const match = ACCESS_NAME.exec(name) ?? STAMP.exec(name);
  if (match === null || WHOLE_DAY.test(name)) return null;
  const [, year, month, day, hour] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** May a log file that was delivered in this hour hold events of the scope? */
export function hourInScope(hourMs: number | null, scope: Scope, latenessMs: number = DELIVERY_LATENESS_MS): boolean {
  if (hourMs === null) return true;
  if (scope.fromMs !== undefined && hourMs + HOUR_MS <= scope.fromMs) return false;
  return scope.toMs === undefined || hourMs - latenessMs < scope.toMs;
}

/** The part of an access log's key before its time, in a bucket that keeps them in one folder. Null for any other key. */
export function accessLogStem(key: string): string | null {
  const match = ACCESS_NAME.exec(key);
  return match === null ? null : key.slice(0, match.index);
}

/** The hint of a file called `name` in a folder that tells `folder`. */
export function parseFileName(name: string, folder: FolderHint): KeyHint {
  const match = FILE_NAME.exec(name);
  const folderDay = folder.first === folder.last ? folder.first : null;
  if (match === null) {
    const access = ACCESS_NAME.exec(name);
    const day = access === null ? null : realDay(access[1], access[2], access[3]);
    const isOldestDay = folder.isOldestDay === true || FIREHOSE_NAME.test(name);
    return {
      service: folder.service,
      account: folder.account,
      region: folder.region,
      day: day ?? folderDay,
      ...(isOldestDay && { isOldestDay }),
    };
  }
  const [, account = '', service = '', region = '', year, month, day] = match;
  return { service, account, region, day: realDay(year, month, day) ?? folderDay };
}

/** What the path of a folder tells; see parseKey(). */
export function parseFolder(path: string, from = 0): FolderHint {
  const segments = path.split('/');
  const layout = findLayout(segments);
  if (layout !== null) return layout;
  let generic = dateOf([]);
  for (let index = 0, start = 0; index < segments.length; index++) {
    const segment = segments[index] ?? '';
    const date = start < from ? null : DATE.exec(segment);
    const found = dateOf(start < from ? [] : date === null ? segments.slice(index, index + 3) : date.slice(1));
    // The last date counts; of 2024/05/07 that is the one which begins at the year.
    if (found.first !== null) generic = found;
    start += segment.length + 1;
  }
  return { service: null, account: null, region: null, ...generic, exact: false };
}

/**
 * `AWSLogs/[o-…/]<account>/<service>/<region>/YYYY/MM/DD`, or the same from the account or from `CloudTrail…/<region>` on; WAF's has `cloudfront` for a
 * region and the web ACL before the year. Or `<account>/<region>/<bucket>/YYYY/MM/DD`, S3's own for access logs, or what Firehose writes for WAF.
 */
function findLayout(segments: readonly string[]): FolderHint | null {
  let at = -1;
  for (let index = segments.length - 1; index >= 0 && at < 0; index--) {
    if (segments[index] === 'AWSLogs') at = index + 1;
    else if (
      CLOUDTRAIL.test(segments[index] ?? '') &&
      (REGION.test(segments[index + 1] ?? '') || ACCOUNT.test(segments[index - 1] ?? ''))
    ) {
      at = ACCOUNT.test(segments[index - 1] ?? '') ? index - 1 : index;
    }
  }
  if (at < 0) return findPartitioned(segments);
  if (ORGANIZATION.test(segments[at] ?? '')) at++;
  const account = ACCOUNT.test(segments[at] ?? '') ? (segments[at++] ?? null) : null;
  const service = segments[at++] ?? null;
  // Account and day of a query, which may have asked for any other.
  if (service === LAKE) return { service, account: null, region: null, first: null, last: null, exact: false };
  const region = REGION.test(segments[at] ?? '') ? (segments[at] ?? null) : null;
  if (!YEAR.test(segments[at] ?? '')) at++;
  if (service === 'WAFLogs' && !YEAR.test(segments[at] ?? '')) at++;
  return { service, account, region, ...dateOf(segments.slice(at, at + 3)), exact: true };
}

function findPartitioned(segments: readonly string[]): FolderHint | null {
  for (let at = segments.length - 1; at >= 0; at--) {
    if (FIREHOSE_WAF.test(segments[at] ?? '') && YEAR.test(segments[at + 1] ?? ''))
      return {
        service: 'WAFLogs',
        account: null,
        region: null,
        ...dateOf(segments.slice(at + 1, at + 4)),
        exact: true,
        isOldestDay: true,
      };
    if (ACCOUNT.test(segments[at] ?? '') && REGION.test(segments[at + 1] ?? '') && YEAR.test(segments[at + 3] ?? '')) {
      const [account = null, region = null] = segments.slice(at, at + 2);
      return { service: 'S3', account, region, ...dateOf(segments.slice(at + 3, at + 6)), exact: true };
    }
  }
  return null;
}

/** The days of `[year, month, day]`, of which the later ones may be missing. */
function dateOf(parts: readonly string[]): { readonly first: string | null; readonly last: string | null } {
  const [year = '', month = '', day = ''] = parts;
  if (!YEAR.test(year)) return { first: null, last: null };
  if (!TWO_DIGITS.test(month) || Number(month) < 1 || Number(month) > 12)
    return { first: `${year}-01-01`, last: `${year}-12-31` };
  const exact = TWO_DIGITS.test(day) ? realDay(year, month, day) : null;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const prefix = `${year}-${month.padStart(2, '0')}`;
  return exact === null ? { first: `${prefix}-01`, last: `${prefix}-${days}` } : { first: exact, last: exact };
}

/** Files of one day come together: the answer that was given last. */
let latestDay: { readonly text: string; readonly isReal: boolean } = { text: '', isReal: false };

/** `YYYY-MM-DD`, or null when the calendar has no such day. */
function realDay(year = '', month = '', day = ''): string | null {
  const text = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  if (text !== latestDay.text) {
    const ms = Date.parse(`${text}T00:00:00Z`);
    latestDay = { text, isReal: !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text) };
  }
  return latestDay.isReal ? text : null;
}

/** May a log file with this hint hold events of the scope? What the key does not tell never excludes it. */
export function inScope(hint: KeyHint, scope: Scope, latenessMs: number = DELIVERY_LATENESS_MS): boolean {
  return (
    isWanted(hint.account, scope.accounts) &&
    isWanted(hint.region, scope.regions) &&
    daysInScope(hint.day, lastDay(hint, hint.day), scope, latenessMs)
  );
}

/** May any log file below a folder with this hint be in scope? */
export function folderInScope(hint: FolderHint, scope: Scope, latenessMs: number = DELIVERY_LATENESS_MS): boolean {
  if (!hint.exact) return true;
  return (
    isWanted(hint.account, scope.accounts) &&
    isWanted(hint.region, scope.regions) &&
    daysInScope(hint.first, lastDay(hint, hint.last), scope, latenessMs)
  );
}

function lastDay({ isOldestDay }: Pick<KeyHint, 'isOldestDay'>, day: string | null): string | null {
  return day === null || isOldestDay !== true ? day : formatDay(dayOf(day) + 1);
}

function isWanted(value: string | null, wanted: readonly string[] | undefined): boolean {
  return value === null || wanted === undefined || wanted.length === 0 || wanted.includes(value);
}

function daysInScope(first: string | null, last: string | null, scope: Scope, latenessMs: number): boolean {
  if (first === null || last === null) return true;
  if (scope.fromMs !== undefined && Date.parse(`${last}T00:00:00Z`) + DAY_MS <= scope.fromMs) return false;
  return scope.toMs === undefined || Date.parse(`${first}T00:00:00Z`) - latenessMs < scope.toMs;
}

/** First of the code units U+DC80 to U+DCFF that stand for the bytes 0x80 to 0xFF, as in Python's PEP 383. Valid UTF-8 never decodes to one of them. */
const BYTE_UNIT = 0xdc00;
const BYTE_UNITS = /[\uDC80-\uDCFF]/u;

/**
 * A name as the file system has it, as a string that loses nothing: text where the bytes are UTF-8, and a lone surrogate for each byte that is not.
 * Such a path goes back to the file system through fsPath(), and into a key through keyOf().
 */
export function pathOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const sequence = bytes.subarray(at, at + length);
    if (isUtf8(sequence)) {
      text += sequence.toString('utf8');
      at += length;
    } else {
      text += String.fromCharCode(BYTE_UNIT + lead);
      at++;
    }
  }
  return text;
}

/** What node:fs opens for a path made by pathOf(): the string itself, or the bytes where a string cannot say them. */
export function fsPath(path: string): string | Buffer {
  if (!BYTE_UNITS.test(path)) return path;
  return Buffer.concat(
    Array.from(path, (char) =>
      BYTE_UNITS.test(char) ? Buffer.of(char.charCodeAt(0) - BYTE_UNIT) : Buffer.from(char, 'utf8'),
    ),
  );
}

/**
 * The key of a path made by pathOf(): text that every system can store. Bytes that are no UTF-8 are percent-encoded (`%FF`); only a percent sign that
 * would read as such an encoding is itself written `%25`, so that two names never share a key and ordinary names stay as they are.
 */
export function keyOf(path: string): string {
  if (!path.includes('%') && !BYTE_UNITS.test(path)) return path;
  return path
    .replace(/%(?=25|[89A-F][0-9A-F])/g, '%25')
    .replace(/[\uDC80-\uDCFF]/gu, (unit) => `%${(unit.charCodeAt(0) - BYTE_UNIT).toString(16).toUpperCase()}`);
}
