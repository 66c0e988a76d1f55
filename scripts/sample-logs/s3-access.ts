/** Server access logs of two buckets of production: the requests that CloudTrail tells of as well, under the same ids, and those of people without credentials. */
import { HEX, LETTERS_AND_DIGITS, Random, UPPER_AND_DIGITS } from '../support/random.ts';
import { iso } from '../support/records.ts';
import type { Files } from './files.ts';
import type { Happening } from './ordinary.ts';
import { buckets, HOME_REGION, HOUR, PRODUCTION } from './world.ts';

export interface Request {
  readonly at: number;
  readonly bucket: string;
  readonly address: string;
  /** ARN; null when nobody signed it. */
  readonly requester: string | null;
  /** Null: one of its own, of which CloudTrail tells nothing. */
  readonly requestId: string | null;
  readonly operation: string;
  readonly key: string | null;
  readonly uri: string;
  readonly status: number;
  readonly error?: string;
  readonly sent?: number;
  readonly size?: number;
  readonly agent: string;
}

/** Where each bucket's log goes, and how its keys are laid out. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#server-log-keyname-format */
const LOGGED: ReadonlyMap<string, 'flat' | 'by date'> = new Map([
  [buckets.exports, 'flat'],
  [buckets.backups, 'by date'],
]);

/** S3 gathers what a quiet bucket sees for hours. */
const DELIVERED_EVERY = 6 * HOUR;
const OWNER = new Random('canonical user of production').text(HEX, 64);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** What S3 calls the calls of CloudTrail in its own log. */
const OPERATIONS: Readonly<Record<string, readonly [operation: string, method: string, query: string]>> = {
  GetObject: ['REST.GET.OBJECT', 'GET', '?x-id=GetObject'],
  PutObject: ['REST.PUT.OBJECT', 'PUT', '?x-id=PutObject'],
  PutBucketPolicy: ['REST.PUT.BUCKETPOLICY', 'PUT', '?policy='],
  PutBucketAcl: ['REST.PUT.ACL', 'PUT', '?acl='],
};

interface S3Record {
  readonly eventName: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly requestID: string;
  readonly userIdentity: { readonly arn: string };
  readonly requestParameters?: { readonly bucketName?: string; readonly key?: string };
  readonly additionalEventData?: { readonly bytesTransferredIn?: number; readonly bytesTransferredOut?: number };
}

/** The request that a record of CloudTrail stands for; null where no access log tells of it. */
function requestOf({ at, record }: Happening): Request | null {
  const { eventName, requestParameters, additionalEventData, ...rest } = record as unknown as S3Record;
  const bucket = requestParameters?.bucketName ?? '';
  const operation = OPERATIONS[eventName];
  if (operation === undefined || !LOGGED.has(bucket)) return null;
  const [name, method, query] = operation;
  const key = requestParameters?.key ?? null;
  const bytes = Math.max(additionalEventData?.bytesTransferredIn ?? 0, additionalEventData?.bytesTransferredOut ?? 0);
  const isRead = method === 'GET';
  return {
    at,
    bucket,
    address: rest.sourceIPAddress,
    requester: rest.userIdentity.arn,
    requestId: rest.requestID,
    operation: name,
    key,
    uri: `${method} /${key ?? ''}${query} HTTP/1.1`,
    status: eventName === 'PutBucketPolicy' ? 204 : 200,
    ...(isRead && { sent: bytes }),
    ...(key !== null && { size: bytes }),
    agent: rest.userAgent,
  };
}

function lineOf(request: Request, random: Random): string {
  const number = (value: number | undefined): string => (value === undefined || value === 0 ? '-' : String(value));
  const isSigned = request.requester !== null;
  const turnAround = 8 + random.below(60);
  const at = new Date(request.at).toUTCString();
  const month = MONTHS[new Date(request.at).getUTCMonth()];
  return [
    OWNER,
    request.bucket,
    `[${at.slice(5, 7)}/${month}/${at.slice(12, 16)}:${at.slice(17, 25)} +0000]`,
    request.address,
    request.requester ?? '-',
    request.requestId ?? random.text(UPPER_AND_DIGITS, 16),
    request.operation,
    request.key ?? '-',
    `"${request.uri}"`,
    request.status,
    request.error ?? '-',
    number(request.sent),
    number(request.size),
    turnAround + Math.round((request.sent ?? 0) / 100_000),
    turnAround,
    '"-"',
    `"${request.agent}"`,
    '-',
    `${random.text(LETTERS_AND_DIGITS, 75)}=`,
    isSigned ? 'SigV4' : '-',
    'TLS_AES_128_GCM_SHA256',
    isSigned ? 'AuthHeader' : '-',
    `${request.bucket}.s3.${HOME_REGION}.amazonaws.com`,
    'TLSv1.3',
    '-',
    '-',
    '-',
  ].join(' ');
}

function pathOf(bucket: string, delivered: number, random: Random): string {
  const [day = '', time = ''] = iso(delivered).slice(0, 19).split('T');
  const name = `${day}-${time.replaceAll(':', '-')}-${random.text(HEX, 16).toUpperCase()}`;
  return LOGGED.get(bucket) === 'flat'
    ? `s3-access/${bucket}/${name}`
    : `s3-access/${PRODUCTION}/${HOME_REGION}/${bucket}/${day.replaceAll('-', '/')}/${name}`;
}

/** The log files, plain text as S3 writes them. */
export function s3AccessLogs(happenings: readonly Happening[], others: readonly Request[]): Files {
  const random = new Random('s3 access');
  const requests = [...happenings.map(requestOf).filter((request) => request !== null), ...others];
  const files = new Map<
    string,
    { readonly bucket: string; readonly delivered: number; readonly requests: Request[] }
  >();
  for (const request of requests.toSorted((a, b) => a.at - b.at)) {
    const delivered = Math.ceil((request.at + HOUR) / DELIVERED_EVERY) * DELIVERED_EVERY;
    const name = `${request.bucket}/${delivered}`;
    const file = files.get(name) ?? { bucket: request.bucket, delivered, requests: [] };
    file.requests.push(request);
    files.set(name, file);
  }
  return new Map(
    [...files.values()].map((file) => [
      pathOf(file.bucket, file.delivered, random),
      Buffer.from(file.requests.map((request) => `${lineOf(request, random)}\n`).join('')),
    ]),
  );
}
