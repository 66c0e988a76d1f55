/** The S3 access logs of the benchmark's organisation: what its programs, people and visitors read and write in its buckets all day. */
import { HEX, LETTERS_AND_DIGITS, Random, UPPER_AND_DIGITS } from '../scripts/support/random.ts';
import type { FileJob } from './corpus.ts';
import { ACCOUNTS, type Where } from './world.ts';

/** A log file holds the requests of about an hour, as S3 delivers them. */
const FILE_SPAN_MS = 3_600_000;
const BUCKETS_PER_ACCOUNT = 12;
const ROLES_PER_ACCOUNT = 25;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const CIPHERS = ['TLS_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'] as const;
const BASE64 = `${LETTERS_AND_DIGITS}+/`;
const AGENTS = [
  'aws-sdk-java/2.31.9 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.115 lang/java#17.0.13 md/OpenJDK_64-Bit_Server_VM#17.0.13+11-LTS md/vendor#Amazon.com_Inc. cfg/auth-source#stat',
  'Boto3/1.42.30 md/Botocore#1.42.30 ua/2.1 os/linux#6.8.0-1044-aws md/arch#x86_64 lang/python#3.13.11 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.42.30 Resource',
  'aws-cli/2.33.2 md/awscrt#0.29.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.11 md/prompt#off md/command#s3.cp',
  'Hadoop 3.4.1, aws-sdk-java/2.29.52 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.230',
  'aws-sdk-go-v2/1.41.1 os/linux lang/go#1.25.5 md/GOOS#linux md/GOARCH#amd64 api/s3#1.95.0',
  'S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488',
] as const;
const BROWSERS = [
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
] as const;

const list = <T>(length: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length }, (_, index) => make(index));

const world = new Random('benchmark buckets');
const owners = new Map(ACCOUNTS.map((account) => [account, world.text(HEX, 64)]));
const buckets = new Map(
  ACCOUNTS.map((account) => [
    account,
    list(
      BUCKETS_PER_ACCOUNT,
      (index) =>
        `${index === 0 ? 'public-assets' : world.pick(['data-lake', 'prod-uploads', 'backup', 'events'])}-${world.text(HEX, 6)}`,
    ),
  ]),
);

interface Requester {
  readonly name: string;
  readonly address: string;
  readonly agent: string;
}
const callers = new Map(
  ACCOUNTS.map((account) => [
    account,
    list(ROLES_PER_ACCOUNT, (): Requester => {
      const role = `${world.pick(['eks-node', 'lambda-exec', 'glue-job', 'etl', 'deploy', 'app'])}-${world.text(HEX, 8)}`;
      const session = world.chance(0.5) ? `i-0${world.text(HEX, 16)}` : `session-${world.below(1_000_000)}`;
      return {
        name: world.chance(0.85)
          ? `arn:aws:sts::${account}:assumed-role/${role}/${session}`
          : `arn:aws:iam::${account}:user/${role}`,
        address: `${world.pick(['10.20.4', '10.21.7', '198.51.100'])}.${1 + world.below(254)}`,
        agent: world.pick(AGENTS),
      };
    }),
  ]),
);
const INTRUDER = '203.0.113.77';
const INTRUDERS_AGENT =
  '[aws-cli/2.22.1 md/awscrt#0.23.4 ua/2.0 os/linux#6.11.2-kali1 md/arch#x86_64 lang/python#3.12.7 md/command#s3.sync]';

interface Request {
  readonly at: number;
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  /** Null when nobody signed it. */
  readonly by: Requester | null;
  readonly operation: string;
  readonly key?: string;
  readonly uri: string;
  readonly status: number;
  readonly error?: string;
  readonly sent?: number;
  readonly size?: number;
  readonly address?: string;
  readonly agent?: string;
  readonly referrer?: string;
}

const pad = (value: number): string => String(value).padStart(2, '0');

function logTime(ms: number): string {
  const at = new Date(ms);
  return `${pad(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())} +0000`;
}

/** One line of 27 fields. */
function lineOf(request: Request, random: Random): string {
  const { account, region, bucket, by } = request;
  const number = (value: number | undefined): string => (value === undefined || value === 0 ? '-' : String(value));
  const turnAround = 4 + random.below(60);
  const total = turnAround + Math.round((request.sent ?? 0) / 50_000) + random.below(5);
  const usesAccessPoint = by !== null && random.chance(0.03);
  return [
    owners.get(account as (typeof ACCOUNTS)[number]) ?? '-',
    bucket,
    `[${logTime(request.at)}]`,
    request.address ?? by?.address ?? '-',
    by?.name ?? '-',
    random.text(UPPER_AND_DIGITS, 16),
    request.operation,
    request.key ?? '-',
    `"${request.uri}"`,
    request.status,
    request.error ?? '-',
    number(request.sent),
    number(request.size),
    total,
    turnAround,
    `"${request.referrer ?? '-'}"`,
    `"${request.agent ?? by?.agent ?? '-'}"`,
    random.chance(0.05) ? random.text(LETTERS_AND_DIGITS, 32) : '-',
    `${random.text(BASE64, 75)}=`,
    by === null ? '-' : 'SigV4',
    random.pick(CIPHERS),
    by === null ? '-' : 'AuthHeader',
    `${bucket}.s3.${region}.amazonaws.com`,
    random.chance(0.6) ? 'TLSv1.3' : 'TLSv1.2',
    usesAccessPoint ? `arn:aws:s3:${region}:${account}:accesspoint/analytics` : '-',
    by === null ? 'Yes' : '-',
    by === null ? '-' : region,
  ].join(' ');
}

/** Keys as AWS logs them: encoded twice where they hold more than plain letters. */
function keyOf(random: Random, at: number): string {
  const day = new Date(at).toISOString().slice(0, 10).split('-');
  const share = random.next();
  if (share < 0.45)
    return `warehouse/orders/year%253D${day[0]}/month%253D${day[1]}/day%253D${day[2]}/part-${String(random.below(400)).padStart(5, '0')}-${random.uuid()}.c000.snappy.parquet`;
  if (share < 0.75)
    return `uploads/${day.join('/')}/${random.text(HEX, 32)}.${random.pick(['jpg', 'json', 'pdf', 'csv.gz'])}`;
  if (share < 0.9) return `static/js/${random.below(900)}.${random.text(HEX, 8)}.chunk.js`;
  return `reports/Q1%2520${day[0]}/summary%2520${random.below(5000)}.xlsx`;
}

type Part = Pick<Request, 'operation' | 'uri' | 'status' | 'key' | 'sent' | 'size' | 'error'>;

/** What is done to objects and buckets, by the shares that busy buckets show. */
function partOf(random: Random, at: number): Part {
  const key = keyOf(random, at);
  const path = `/${key.replaceAll('%25', '%')}`;
  const size = Math.ceil(random.next() ** 6 * 60_000_000) + 200;
  const share = random.next();
  if (share < 0.5)
    return { operation: 'REST.GET.OBJECT', uri: `GET ${path} HTTP/1.1`, status: 200, key, sent: size, size };
  if (share < 0.6) {
    const sent = Math.min(size, 1_048_576);
    return { operation: 'REST.GET.OBJECT', uri: `GET ${path} HTTP/1.1`, status: 206, key, sent, size };
  }
  if (share < 0.75)
    return { operation: 'REST.PUT.OBJECT', uri: `PUT ${path}?x-id=PutObject HTTP/1.1`, status: 200, key, size };
  if (share < 0.86) return { operation: 'REST.HEAD.OBJECT', uri: `HEAD ${path} HTTP/1.1`, status: 200, key, size };
  if (share < 0.92)
    return {
      operation: 'REST.GET.BUCKET',
      uri: `GET /?list-type=2&prefix=${encodeURIComponent(key.slice(0, 20))}&max-keys=1000&encoding-type=url HTTP/1.1`,
      status: 200,
      sent: 4000 + random.below(200_000),
    };
  if (share < 0.95)
    return {
      operation: 'REST.HEAD.OBJECT',
      uri: `HEAD ${path} HTTP/1.1`,
      status: 404,
      key,
      error: 'NoSuchKey',
      sent: 340,
    };
  if (share < 0.97) return { operation: 'REST.DELETE.OBJECT', uri: `DELETE ${path} HTTP/1.1`, status: 204, key, size };
  if (share < 0.98)
    return {
      operation: 'REST.PUT.PART',
      uri: `PUT ${path}?partNumber=${1 + random.below(90)}&uploadId=${random.text(LETTERS_AND_DIGITS, 64)} HTTP/1.1`,
      status: 200,
      key,
      size: 8_388_608,
    };
  if (share < 0.995) return { operation: 'REST.COPY.OBJECT_GET', uri: `GET ${path}`, status: 200, key, size };
  return {
    operation: 'REST.GET.OBJECT',
    uri: `GET ${path} HTTP/1.1`,
    status: 403,
    key,
    error: 'AccessDenied',
    sent: 243,
  };
}

const bucketOf = ({ path }: Pick<FileJob, 'path'>): string => path.split('/')[3] ?? '';

function callersOf(account: string): readonly Requester[] {
  return callers.get(account as (typeof ACCOUNTS)[number]) ?? [];
}

/** Visitors of the public bucket, lifecycle, and else the account's own programs: few of them make most requests. */
function ordinary(random: Random, { account, region, at }: Where, bucket: string): string {
  const where = { account, region, at, bucket };
  if (bucket.startsWith('public-') && random.chance(0.6)) {
    const address = `${random.pick(['192.0.2.', '198.51.100.', '2001:db8::'])}${1 + random.below(254)}`;
    const key = `static/img/${random.below(800)}.${random.text(HEX, 6)}.webp`;
    const part = {
      operation: 'WEBSITE.GET.OBJECT',
      uri: `GET /${key} HTTP/1.1`,
      status: random.chance(0.2) ? 304 : 200,
      key,
    };
    const size = 2000 + random.below(400_000);
    return lineOf(
      {
        ...where,
        ...part,
        by: null,
        sent: part.status === 200 ? size : 0,
        size,
        address,
        agent: random.pick(BROWSERS),
        referrer: random.chance(0.7) ? 'https://www.example.com/products?page=2' : '-',
      },
      random,
    );
  }
  if (random.chance(0.04)) {
    const operation = random.pick(['S3.EXPIRE.OBJECT', 'S3.TRANSITION_SIA.OBJECT', 'S3.CREATE.DELETEMARKER']);
    const by = { name: 'AmazonS3', address: '-', agent: '-' };
    return lineOf(
      { ...where, by, operation, key: keyOf(random, at), uri: '-', status: 200, size: random.below(5_000_000) },
      random,
    );
  }
  const own = callersOf(account);
  const by = own[Math.floor(random.next() ** 2.5 * own.length)] ?? null;
  return lineOf({ ...where, ...partOf(random, at), by }, random);
}

/** Planted, in turn: what a detector must find among all this. */
export const INCIDENTS: readonly {
  readonly name: string;
  lines(random: Random, where: Where, bucket: string): readonly string[];
}[] = [
  {
    name: 'a stranger copies a bucket',
    lines: (random, where, bucket) =>
      list(120, (index) => {
        const key = keyOf(random, where.at);
        const size = 20_000_000 + random.below(50_000_000);
        const part = { operation: 'REST.GET.OBJECT', key, uri: `GET /${key} HTTP/1.1`, status: 200, sent: size, size };
        return lineOf({ ...where, ...part, at: where.at + index * 800, bucket, by: intruder(where.account) }, random);
      }),
  },
  {
    name: 'a bucket is emptied',
    lines: (random, where, bucket) =>
      list(200, (index) => {
        const part = {
          operation: 'BATCH.DELETE.OBJECT',
          key: keyOf(random, where.at),
          uri: 'POST /?delete HTTP/1.1',
          status: 204,
        };
        return lineOf({ ...where, ...part, at: where.at + index * 20, bucket, by: intruder(where.account) }, random);
      }),
  },
  {
    name: 'a bucket is opened to everyone',
    lines: (random, where, bucket) => [
      lineOf(
        {
          ...where,
          bucket,
          by: intruder(where.account),
          operation: 'REST.PUT.BUCKETPOLICY',
          uri: 'PUT /?policy HTTP/1.1',
          status: 204,
        },
        random,
      ),
      ...list(15, (index) => {
        const part = { operation: 'REST.GET.BUCKET', uri: 'GET /?list-type=2 HTTP/1.1', status: 200, sent: 90_000 };
        return lineOf(
          {
            ...where,
            ...part,
            at: where.at + 60_000 + index * 900,
            bucket,
            by: null,
            address: INTRUDER,
            agent: 'curl/8.11.0',
          },
          random,
        );
      }),
    ],
  },
  {
    name: 'a stranger is refused again and again',
    lines: (random, where, bucket) =>
      list(80, (index) => {
        const key = keyOf(random, where.at);
        const part = {
          operation: 'REST.GET.OBJECT',
          key,
          uri: `GET /${key} HTTP/1.1`,
          status: 403,
          error: 'AccessDenied',
          sent: 243,
        };
        return lineOf({ ...where, ...part, at: where.at + index * 700, bucket, by: intruder(where.account) }, random);
      }),
  },
];

/** A known principal from an unknown place. */
function intruder(account: string): Requester {
  const name = callersOf(account)[0]?.name ?? '-';
  return { name, address: INTRUDER, agent: INTRUDERS_AGENT };
}

/** `<prefix>/<account>/<region>/<bucket>/YYYY/mm/DD/YYYY-mm-DD-HH-MM-SS-<16 hex digits>`, as S3 partitions keys by event time; archives compress what S3 delivers plain. */
export function s3AccessKey({ account, region, at }: Where, random: Random): string {
  const bucket = random.pick(buckets.get(account as (typeof ACCOUNTS)[number]) ?? []);
  const [day = '', time = ''] = new Date(at).toISOString().slice(0, 19).split('T');
  return `s3-access/${account}/${region}/${bucket}/${day.replaceAll('-', '/')}/${day}-${time.replaceAll(':', '-')}-${random.text(HEX, 16).toUpperCase()}.gz`;
}

/** The lines of one log file. */
export function s3AccessText(job: FileJob): { text: string; records: number } {
  const random = new Random(job.seed);
  const bucket = bucketOf(job);
  const where = (at: number): Where => ({ account: job.account, region: job.region, at });
  const step = FILE_SPAN_MS / job.records;
  const lines: string[] = [];
  let at = job.delivered - FILE_SPAN_MS;
  for (let index = 0; index < job.records; index++) {
    at += step * 2 * random.next();
    lines.push(ordinary(random, where(at), bucket));
  }
  const incident = INCIDENTS.find(({ name }) => name === job.incident);
  lines.push(...(incident?.lines(random, where(job.delivered - FILE_SPAN_MS), bucket) ?? []));
  return { text: `${lines.join('\n')}\n`, records: lines.length };
}
