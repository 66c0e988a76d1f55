/** Lays happenings out as CloudTrail delivers them: an S3 bucket of gzip files, digests and Insights beside them, and a few that broke. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'fflate';
import { HEX, LETTERS_AND_DIGITS, Random } from '../support/random.ts';
import { iso, type Json } from '../support/records.ts';
import { TRAIL_STARTED, TRAIL_STOPPED } from './incidents.ts';
import type { Happening } from './ordinary.ts';
import { buckets, DAY, DEVELOPMENT, HOME_REGION, HOUR, MINUTE, ORGANISATION, PRODUCTION, WEEK_START } from './world.ts';

/** Path in the bucket, and bytes. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** CloudTrail delivers about every five minutes. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html */
const DELIVERY_EVERY = 5 * MINUTE;
const USUAL_DELAY = 3 * MINUTE;
/** Few records are late, by up to a quarter of an hour. */
const LATE_DELAY = 15 * MINUTE;
const LATE_SHARE = 0.004;

/** On Friday evening the security team fetches what the organisation's trail has of production as well. */
const FETCHED_FROM = WEEK_START + 4 * DAY + 19 * HOUR;
const FETCHED_TO = WEEK_START + 4 * DAY + 23 * HOUR;

/** The hour of Wednesday whose files of production arrive broken. */
const SPOILED_FROM = WEEK_START + 2 * DAY;

/** fflate rather than node:zlib, whose output differs between versions and processors. */
export const gzip = (text: string | Uint8Array): Uint8Array =>
  gzipSync(typeof text === 'string' ? Buffer.from(text) : text, { level: 9, mtime: 0 });

const stamp = (ms: number): string => iso(ms).slice(0, 16).replace(/[-:]/g, '');
const dayPath = (ms: number): string => iso(ms).slice(0, 10).replaceAll('-', '/');

function logPath(root: string, account: string, region: string, delivered: number): string {
  const folder = `${root}/${account}/CloudTrail/${region}/${dayPath(delivered)}`;
  const name = `${account}_CloudTrail_${region}_${stamp(delivered)}Z`;
  return `${folder}/${name}_${new Random(`${folder}/${name}`).text(LETTERS_AND_DIGITS, 16)}.json.gz`;
}

const body = (records: readonly Json[]): string => JSON.stringify({ Records: records });

/** The log files of both trails. */
function logs(happenings: readonly Happening[]): Map<string, { text: string; delivered: number }> {
  const random = new Random('delivery');
  const files = new Map<string, { records: Happening[]; delivered: number }>();
  const deliver = (root: string, happening: Happening, delay: number): void => {
    const delivered = Math.ceil((happening.at + delay) / DELIVERY_EVERY) * DELIVERY_EVERY;
    const path = logPath(root, happening.account, happening.region, delivered);
    const file = files.get(path) ?? { records: [], delivered };
    file.records.push(happening);
    files.set(path, file);
  };
  for (const happening of happenings) {
    const { at, account } = happening;
    const delay = random.chance(LATE_SHARE) ? LATE_DELAY : USUAL_DELAY;
    if (account === DEVELOPMENT) deliver(`AWSLogs/${ORGANISATION}`, happening, delay);
    else {
      if (at < TRAIL_STOPPED || at >= TRAIL_STARTED) deliver('AWSLogs', happening, delay);
      if (at >= FETCHED_FROM && at < FETCHED_TO) deliver(`AWSLogs/${ORGANISATION}`, happening, delay);
    }
  }
  return new Map(
    [...files].map(([path, { records, delivered }]) => [
      path,
      // Records of one file are in no order that one could rely on; here by event id.
      { text: body(records.map((happening) => happening.record).toSorted(byEventId)), delivered },
    ]),
  );
}

const byEventId = (a: Json, b: Json): number => (String(a['eventID']) < String(b['eventID']) ? -1 : 1);

/** The digests of production's trail for Friday evening. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html */
function digests(logFiles: ReadonlyMap<string, { text: string; delivered: number }>): Map<string, Uint8Array> {
  const random = new Random('digests');
  const digest = new Map<string, Uint8Array>();
  let previous: Json = {};
  for (let hour = 18; hour < 24; hour++) {
    const start = WEEK_START + 4 * DAY + hour * HOUR;
    const end = start + HOUR;
    const listed = [...logFiles].filter(
      ([path, { delivered }]) =>
        path.startsWith(`AWSLogs/${PRODUCTION}/CloudTrail/${HOME_REGION}/`) && delivered >= start && delivered < end,
    );
    const folder = `AWSLogs/${PRODUCTION}/CloudTrail-Digest/${HOME_REGION}/${dayPath(end)}`;
    const path = `${folder}/${PRODUCTION}_CloudTrail-Digest_${HOME_REGION}_production-trail_${HOME_REGION}_${iso(end).replace(/[-:]/g, '')}.json.gz`;
    const times = listed.flatMap(([, { text }]) => eventTimes(text)).toSorted();
    const text = JSON.stringify({
      awsAccountId: PRODUCTION,
      digestStartTime: iso(start),
      digestEndTime: iso(end),
      digestS3Bucket: buckets.trail,
      digestS3Object: path,
      digestPublicKeyFingerprint: random.text(HEX, 32),
      digestSignatureAlgorithm: 'SHA256withRSA',
      newestEventTime: times.at(-1) ?? null,
      oldestEventTime: times.at(0) ?? null,
      previousDigestS3Bucket: null,
      previousDigestS3Object: null,
      previousDigestHashValue: null,
      previousDigestHashAlgorithm: null,
      previousDigestSignature: null,
      ...previous,
      logFiles: listed.map(([s3Object, file]) => {
        const fileTimes = eventTimes(file.text).toSorted();
        return {
          s3Bucket: buckets.trail,
          s3Object,
          hashValue: sha256(file.text),
          hashAlgorithm: 'SHA-256',
          newestEventTime: fileTimes.at(-1),
          oldestEventTime: fileTimes.at(0),
        };
      }),
    });
    digest.set(path, gzip(text));
    previous = {
      previousDigestS3Bucket: buckets.trail,
      previousDigestS3Object: path,
      previousDigestHashValue: sha256(text),
      previousDigestHashAlgorithm: 'SHA-256',
      previousDigestSignature: random.text(HEX, 512),
    };
  }
  return digest;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const eventTimes = (text: string): string[] =>
  (JSON.parse(text) as { Records: { eventTime: string }[] }).Records.map(({ eventTime }) => eventTime);

/** What CloudTrail Insights made of the refusals. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html */
function insights(): Map<string, Uint8Array> {
  const random = new Random('insights');
  const begin = WEEK_START + 4 * DAY + 19 * HOUR + 43 * MINUTE;
  const end = begin + 8 * MINUTE;
  const sharedEventID = random.uuid();
  const attribution = (attribute: string, value: string): Json => ({
    attribute,
    insight: [{ value, average: 8 }],
    baseline: [{ value: `arn:aws:iam::${PRODUCTION}:user/mary_major`, average: 0.0007 }],
  });
  const insight = (state: 'Start' | 'End', at: number): Json => ({
    eventVersion: '1.11',
    eventTime: iso(at),
    awsRegion: HOME_REGION,
    eventID: random.uuid(),
    eventType: 'AwsCloudTrailInsight',
    recipientAccountId: PRODUCTION,
    sharedEventID,
    insightDetails: {
      state,
      eventSource: 'ce.amazonaws.com',
      eventName: 'GetCostAndUsage',
      insightType: 'ApiErrorRateInsight',
      errorCode: 'AccessDenied',
      insightContext: {
        statistics: {
          baseline: { average: 0.0007 },
          insight: { average: 8 },
          insightDuration: 8,
          baselineDuration: 10_080,
        },
        attributions: [attribution('userIdentityArn', `arn:aws:iam::${PRODUCTION}:user/ci-release`)],
      },
    },
    eventCategory: 'Insight',
  });
  const path = `AWSLogs/${PRODUCTION}/CloudTrail-Insight/${HOME_REGION}/${dayPath(end)}/${PRODUCTION}_CloudTrail-Insight_${HOME_REGION}_${stamp(end + 12 * MINUTE)}Z_${random.text(LETTERS_AND_DIGITS, 16)}.json.gz`;
  return new Map([[path, gzip(body([insight('Start', begin), insight('End', end)]))]]);
}

export interface BrokenFile {
  readonly path: string;
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** Six ways in which a log file arrives broken; `records` are whole and appear nowhere else. */
export function broken(records: readonly Json[]): readonly BrokenFile[] {
  const shares = Array.from({ length: 4 }, (_, share) =>
    records.slice((share * records.length) / 4, ((share + 1) * records.length) / 4),
  );
  const [forCut = [], forTruncated = [], forBadByte = [], forGarbage = []] = shares;
  const whole = gzip(body(forCut));
  const text = body(forTruncated);
  const badByte = Buffer.from(body(forBadByte));
  // In the middle of a value of the last record: its neighbours are unharmed.
  badByte[badByte.lastIndexOf('userAgent') + 20] = 0xff;
  const file = (minute: number, what: string, bytes: Uint8Array): BrokenFile => ({
    path: logPath('AWSLogs', PRODUCTION, HOME_REGION, SPOILED_FROM + HOUR + minute * MINUTE),
    what,
    bytes,
  });
  return [
    file(2, 'gzip cut short, as by a broken download', whole.subarray(0, Math.floor(whole.length * 0.7))),
    file(3, 'no gzip at all: the error page of a proxy', Buffer.from('<html><body>502 Bad Gateway</body></html>\n')),
    file(4, 'the JSON ends in the middle of a record', gzip(text.slice(0, Math.floor(text.length * 0.8)))),
    file(6, 'zero bytes', new Uint8Array()),
    file(7, 'a byte that is not UTF-8 in its last record', gzip(badByte)),
    file(8, 'garbage behind the end of the gzip data', Buffer.concat([gzip(body(forGarbage)), Buffer.alloc(64, '~')])),
  ];
}

/** Takes an hour of production's ordinary records out: those arrive in the broken files alone. */
export function setAside(happenings: readonly Happening[]): [spoiled: Happening[], sound: Happening[]] {
  const isSpoiled = ({ account, at }: Happening): boolean =>
    account === PRODUCTION && at >= SPOILED_FROM && at < SPOILED_FROM + HOUR;
  return [happenings.filter(isSpoiled), happenings.filter((happening) => !isSpoiled(happening))];
}

/** A copy of the file that tells of StopLogging, in which the call is another one: the id is the same, the facts are not. */
function forged(logFiles: ReadonlyMap<string, { text: string; delivered: number }>): [string, Uint8Array] {
  const own = `AWSLogs/${PRODUCTION}/CloudTrail/`;
  const original = [...logFiles].find(([path, { text }]) => path.startsWith(own) && text.includes('"StopLogging"'));
  if (original === undefined) throw new Error('no file of the production trail tells of StopLogging');
  const [, { text, delivered }] = original;
  const path = logPath('AWSLogs', PRODUCTION, HOME_REGION, delivered + MINUTE);
  return [path, gzip(text.replace('"StopLogging"', '"GetTrailStatus"'))];
}

/** Everything in the bucket but the broken files. */
export function bucket(happenings: readonly Happening[]): { files: Files; forgedPath: string } {
  const logFiles = logs(happenings);
  const files = new Map([...logFiles].map(([path, { text }]) => [path, gzip(text)] as const));
  const forgedFile = forged(logFiles);
  for (const [path, bytes] of [...digests(logFiles), ...insights(), forgedFile]) files.set(path, bytes);
  return { files, forgedPath: forgedFile[0] };
}
