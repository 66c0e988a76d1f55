/** A principal carried far more bytes out of S3 in a day than it usually does. */
import { defineDetector, z } from '../../src/detector.ts';

/** Gigabytes of one object. */
const read = (gigabytes: number, record = GB) => record.replaceAll('1000000000', `${gigabytes}000000000`);
const GB =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT export/part-0001.parquet "GET /export/part-0001.parquet HTTP/1.1" 200 - 1000000000 1000000000 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = (gigabytes: number, record = GB) =>
  ({
    repeat: 10,
    every: '1d',
    record: read(gigabytes, record).replace('{time}', '01/Mar/2025:08:00:00 +0000'),
  }) as const;
const today = (gigabytes: number, record = GB) =>
  read(gigabytes, record).replace('{time}', '11/Mar/2025:09:00:00 +0000');
const on = (day: string, gigabytes: number, record = GB) =>
  read(gigabytes, record).replace('{time}', `${day}/2025:08:00:00 +0000`);
/** Somebody else, so that the log has a history. */
const other = GB.replace('user/Alice', 'user/Mateo_Jackson');
const others = usual(1, other);
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }];

export const detector = defineDetector({
  id: 'bulk-egress',
  title: 'A principal fetched far more than usual from S3',
  description:
    'Sums the bytes that S3 sent to each principal and day, over all buckets, and compares them with the median of its own days in the two weeks before. A single large object says little; a sum that its owner never reached says that something was carried off.',
  severity: 'medium',
  severityReason: 'Theft of data looks like this, and so does a restore or a migration.',
  table: 's3_access',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1048', version: 16 },
  ],
  tags: ['exfiltration', 'baseline'],
  when: {
    all: [{ bytes_sent: { gt: 0 }, is_anonymous: false }, { not: { requester: { startswith: 'svc:' } } }],
  },
  sql: `-- One row per principal and day in which it fetched far more bytes than on its usual days.
WITH daily AS (
  SELECT date_trunc('day', s.event_time) AS slot, s.principal, sum(s.bytes_sent) AS bytes
  FROM s3_access AS s
  GROUP BY 1, 2
), days AS (
  SELECT d.slot
  FROM daily AS d
  GROUP BY 1
), ripe AS (
  SELECT n.slot
  FROM days AS n
  JOIN days AS o ON o.slot <= n.slot - INTERVAL '3' DAY AND o.slot >= n.slot - INTERVAL '14' DAY
  GROUP BY 1
), loud AS (
  SELECT d.slot, d.principal, d.bytes
  FROM daily AS d
  JOIN ripe AS r ON r.slot = d.slot
  WHERE d.bytes >= :gigabytes * 1000000000
), ranked AS (
  SELECT l.slot, l.principal, h.bytes, row_number() OVER (PARTITION BY l.slot, l.principal ORDER BY h.bytes) AS place,
    count(*) OVER (PARTITION BY l.slot, l.principal) AS days
  FROM loud AS l
  JOIN daily AS h ON h.principal = l.principal AND h.slot < l.slot AND h.slot >= l.slot - INTERVAL '14' DAY
), usual AS (
  SELECT r.slot, r.principal, max(r.bytes) AS bytes
  FROM ranked AS r
  WHERE r.place = (r.days + 1) / 2
  GROUP BY 1, 2
)
SELECT date_trunc('day', s.event_time) AS slot, s.principal, min(s.principal_arn) AS principal_arn, min(s.account_id) AS account_id,
  min(s.source_ip) AS source_ip, min(s.bucket) AS bucket, count(DISTINCT s.bucket) AS buckets, count(DISTINCT s.key) AS keys,
  sum(s.bytes_sent) / 1000000000 AS fetched_gb, coalesce(min(u.bytes), 0) / 1000000000 AS usual_gb,
  min(s.event_time) AS first_seen, max(s.event_time) AS last_seen, count(*) AS count,
  array_agg(DISTINCT s.request_id ORDER BY s.request_id) AS event_ids
FROM s3_access AS s
JOIN loud AS l ON l.slot = date_trunc('day', s.event_time) AND l.principal = s.principal
LEFT JOIN usual AS u ON u.slot = l.slot AND u.principal = l.principal
GROUP BY 1, 2
HAVING sum(s.bytes_sent) >= :times * coalesce(min(u.bytes), 0)
ORDER BY 1, 2`,
  lookback: '14d',
  slot: '1d',
  subject: ['principal'],
  summary:
    '{principal} fetched {fetched_gb} GB ({keys} keys of {buckets} buckets, {bucket} among them) from {source_ip}; usual are {usual_gb} GB a day',
  parameters: {
    gigabytes: z
      .number()
      .positive()
      .default(10)
      .describe('gigabytes (10^9 bytes) in a day below which nothing is said, however quiet the principal was'),
    times: z
      .number()
      .min(1)
      .default(10)
      .describe(
        'multiple of the median of its days with traffic in the two weeks before; 0 for a principal that had none',
      ),
  },
  falsePositives: ['A restore, a migration, a job that runs once a month.'],
  blindSpots: [
    'Silent until the log has three days of such traffic, of whomever.',
    'Carrying off a little every day.',
    'Bytes that do not pass S3: copies inside AWS show as REST.COPY.OBJECT_GET without bytes.',
    'Visitors without credentials: object-egress-above-usual. CloudFront and other services (svc:…).',
  ],
  response: [
    'Run the saved question egress-per-requester, then requester-activity for principal: which keys, and from where.',
  ],
  examples: [
    { name: 'a hundred gigabytes after five each day', records: [usual(5), today(100)], alerts: ALERT },
    {
      name: 'twenty gigabytes by somebody who never fetched anything',
      records: [others, today(20)],
      alerts: ALERT,
    },
    { name: 'the log begins today', records: [today(20)], alerts: [] },
    { name: 'the floor is asked for lower', records: [others, today(2)], alerts: ALERT, parameters: { gigabytes: 1 } },
    { name: 'far above usual, but little', records: [others, today(9)], alerts: [] },
    { name: 'less than ten times as much', records: [usual(5), today(49)], alerts: [] },
    { name: 'the factor is asked for lower', records: [usual(5), today(49)], alerts: ALERT, parameters: { times: 5 } },
    {
      name: 'days without any traffic are no usual days',
      records: [
        { ...usual(5), repeat: 8, record: usual(5).record.replace('200 - 5000000000', '200 - -') },
        { ...usual(5), repeat: 2, record: read(5).replace('{time}', '09/Mar/2025:08:00:00 +0000') },
        today(49),
      ],
      alerts: [],
    },
    {
      name: 'a loud day is still compared with the usual ones',
      records: [usual(5), read(400).replace('{time}', '10/Mar/2025:12:00:00 +0000'), today(100)],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'visitors of a public site, CloudFront, and an upload',
      records: [
        others,
        today(
          100,
          GB.replace('arn:aws:iam::111122223333:user/Alice', '-').replace('= SigV4', '= -').replace('AuthHeader', '-'),
        ),
        today(100, GB.replace('arn:aws:iam::111122223333:user/Alice', 'svc:cloudfront.amazonaws.com')),
        today(100, GB.replace('REST.GET', 'REST.PUT').replace('200 - 1000000000', '200 - -')),
      ],
      alerts: [],
    },
    { name: 'just as much as is asked for', records: [others, today(10)], alerts: ALERT },
    { name: 'just as many times the usual', records: [usual(5), today(50)], alerts: ALERT },
    { name: 'a log that began three days ago', records: [on('08/Mar', 1, other), today(20)], alerts: ALERT },
    {
      name: 'a log of which the only other day is two weeks ago',
      records: [on('25/Feb', 1, other), today(20)],
      alerts: ALERT,
    },
    { name: 'its usual day two weeks ago', records: [on('25/Feb', 5), today(49)], alerts: [] },
  ],
});
