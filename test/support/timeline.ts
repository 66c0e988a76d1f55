/** Months of a small account: ordinary days, a few incidents, and log files that come minutes later, a day late, or twice. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/time.ts';

export interface LandingFile {
  readonly atMs: number;
  /** Below the bucket. */
  readonly key: string;
  readonly body: Buffer;
}

type Event = Readonly<Record<string, unknown>> & { readonly eventTime: string };

const ACCOUNT = '111122223333';
const PEOPLE = ['ann', 'ben', 'cleo', 'dora'];
const CALLS = [
  ['ec2.amazonaws.com', 'DescribeInstances'],
  ['s3.amazonaws.com', 'ListBuckets'],
  ['iam.amazonaws.com', 'ListUsers'],
  ['lambda.amazonaws.com', 'ListFunctions20150331'],
] as const;

/** Numbers from 0 to 1 that depend on the seed alone. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In the order of landing. */
export function timeline(fromMs: number, days: number, seed: number): readonly LandingFile[] {
  const next = random(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  let ids = 0;
  const event = (atMs: number, user: string, source: string, name: string, rest: object = {}): Event => ({
    eventVersion: '1.09',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${user.toUpperCase()}`,
      arn: `arn:aws:iam::${ACCOUNT}:user/${user}`,
      accountId: ACCOUNT,
      accessKeyId: `AKIA${user.toUpperCase()}00000000`.slice(0, 20),
      userName: user,
    },
    eventTime: new Date(Math.floor(atMs / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
    eventSource: source,
    eventName: name,
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.15',
    requestParameters: null,
    responseElements: null,
    eventID: `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    readOnly: /^(?:Describe|List|Get)/u.test(name),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    ...rest,
  });
  const incident = (kind: number, atMs: number): Event[] => {
    const who = pick(PEOPLE);
    switch (kind % 4) {
      case 0:
        return [event(atMs, who, 'cloudtrail.amazonaws.com', 'StopLogging', { requestParameters: { name: 'main' } })];
      case 1:
        return Array.from({ length: 60 }, (_, at) =>
          event(atMs + at * 2000, who, 'ec2.amazonaws.com', `Run${at % 30}`, {
            errorCode: 'Client.UnauthorizedOperation',
            errorMessage: 'You are not authorized',
          }),
        );
      case 2:
        return [
          event(atMs, who, 'iam.amazonaws.com', 'CreateUser', { requestParameters: { userName: `new-${kind}` } }),
          event(atMs + MINUTE_MS, who, 'iam.amazonaws.com', 'CreateAccessKey', {
            requestParameters: { userName: `new-${kind}` },
          }),
        ];
      default:
        return [
          event(atMs, who, 'ec2.amazonaws.com', 'RunInstances', { awsRegion: `eu-north-${kind}`, readOnly: false }),
        ];
    }
  };
  const files: LandingFile[] = [];
  for (let hour = 0; hour < days * 24; hour += 3) {
    const startMs = fromMs + hour * HOUR_MS;
    const events = Array.from({ length: 12 }, () => {
      const [source, name] = pick(CALLS);
      return event(startMs + next() * 3 * HOUR_MS, pick(PEOPLE), source, name);
    });
    // One on most days, sometimes across the border of two files.
    if (next() < 0.1) events.push(...incident(Math.floor(next() * 1000), startMs + next() * 3 * HOUR_MS));
    const late = next() < 0.1 ? next() * 30 * HOUR_MS : 0;
    const halves = [events.filter((_, at) => at % 2 === 0), events.filter((_, at) => at % 2 === 1)];
    for (const [half, some] of halves.entries()) {
      const atMs = startMs + 3 * HOUR_MS + MINUTE_MS * (5 + 10 * next()) + (half === 0 ? 0 : late);
      const file = fileOf(atMs, `${String(hour).padStart(5, '0')}${half}`, some);
      files.push(file);
      if (next() < 0.05)
        files.push(fileOf(atMs + DAY_MS * next(), `${String(hour).padStart(5, '0')}${half}again`, some));
    }
  }
  return files.toSorted((a, b) => a.atMs - b.atMs);
}

function fileOf(atMs: number, name: string, events: readonly Event[]): LandingFile {
  const [day = '', time = ''] = new Date(atMs).toISOString().split('T');
  const stamp = `${day.replaceAll('-', '')}T${time.slice(0, 2)}${time.slice(3, 5)}Z`;
  return {
    atMs,
    key: `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/${day.replaceAll('-', '/')}/${ACCOUNT}_CloudTrail_us-east-1_${stamp}_${name}.json.gz`,
    body: gzipSync(JSON.stringify({ Records: events })),
  };
}

export function land(bucket: string, { key, body }: LandingFile): void {
  mkdirSync(dirname(join(bucket, key)), { recursive: true });
  writeFileSync(join(bucket, key), body);
}
