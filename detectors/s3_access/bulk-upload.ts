/** A principal put far more bytes into S3 in a day than it usually does. */
import { defineDetector, z } from '../../src/detector.ts';

const GB =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.PUT.OBJECT in/part-0001.bin "PUT /in/part-0001.bin HTTP/1.1" 200 - - 1000000000 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const put = (gigabytes: number, date: string, record = GB) =>
  record.replace('1000000000', `${gigabytes}000000000`).replace('{time}', `${date}/Mar/2025:09:00:00 +0000`);
const usual = (gigabytes: number) => ({ repeat: 10, every: '1d', record: put(gigabytes, '01') }) as const;
/** Somebody else, so that the log has a history. */
const other = GB.replace('user/Alice', 'user/Mateo_Jackson');
const others = { ...usual(1), record: put(1, '01', other) } as const;
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }];

export const detector = defineDetector({
  id: 'bulk-upload',
  title: 'A principal stored far more than usual in S3',
  description:
    'Sums the sizes of what each principal stored in a day, parts of large objects too, and compares them with the median of its own days in the two weeks before: tools or stolen data are being put down here, or your bucket serves others as a store.',
  severity: 'low',
  severityReason: 'Mostly a new job; it costs money at least.',
  table: 's3_access',
  attack: [{ technique: 'T1105', version: 16 }],
  tags: ['impact', 'baseline'],
  when: {
    all: [
      {
        operation: ['REST.PUT.OBJECT', 'REST.PUT.PART', 'REST.POST.OBJECT'],
        outcome: 'success',
        object_size: { gt: 0 },
      },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  sql: `-- One row per principal and day in which it stored far more bytes than on its usual days.
WITH daily AS (
  SELECT date_trunc('day', s.event_time) AS slot, s.principal, sum(s.object_size) AS bytes
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
  min(s.source_ip) AS source_ip, min(s.bucket) AS bucket, count(DISTINCT s.key) AS keys, sum(s.object_size) / 1000000000 AS stored_gb,
  coalesce(min(u.bytes), 0) / 1000000000 AS usual_gb, min(s.event_time) AS first_seen, max(s.event_time) AS last_seen, count(*) AS count,
  array_agg(DISTINCT s.request_id ORDER BY s.request_id) AS event_ids
FROM s3_access AS s
JOIN loud AS l ON l.slot = date_trunc('day', s.event_time) AND l.principal = s.principal
LEFT JOIN usual AS u ON u.slot = l.slot AND u.principal = l.principal
GROUP BY 1, 2
HAVING sum(s.object_size) >= :times * coalesce(min(u.bytes), 0)
ORDER BY 1, 2`,
  lookback: '14d',
  slot: '1d',
  subject: ['principal'],
  summary:
    '{principal} stored {stored_gb} GB in {keys} keys, {bucket} among the buckets, from {source_ip}; usual are {usual_gb} GB a day',
  parameters: {
    gigabytes: z
      .number()
      .positive()
      .default(50)
      .describe('gigabytes (10^9 bytes) in a day below which nothing is said'),
    times: z
      .number()
      .min(1)
      .default(10)
      .describe(
        'multiple of the median of its days with uploads in the two weeks before; 0 for a principal that had none',
      ),
  },
  falsePositives: ['A new backup, a migration.'],
  blindSpots: [
    'Silent until the log has three days of such traffic, of whomever.',
    'Copies inside AWS, of which the log tells no size.',
    'A little every day.',
  ],
  response: ['Run the saved question requester-activity for principal, and look at the keys.'],
  examples: [
    { name: 'a hundred gigabytes after two each day', records: [usual(2), put(100, '11')], alerts: ALERT },
    {
      name: 'a large object in parts',
      records: [others, put(60, '11', GB.replace('PUT.OBJECT', 'PUT.PART'))],
      alerts: ALERT,
    },
    { name: 'the log begins today', records: [put(100, '11')], alerts: [] },
    {
      name: 'the floor is asked for lower',
      records: [others, put(6, '11')],
      alerts: ALERT,
      parameters: { gigabytes: 5 },
    },
    { name: 'far above usual, but little', records: [usual(1), put(49, '11')], alerts: [] },
    { name: 'less than ten times as much', records: [usual(20), put(150, '11')], alerts: [] },
    {
      name: 'the factor is asked for lower',
      records: [usual(20), put(150, '11')],
      alerts: ALERT,
      parameters: { times: 5 },
    },
    {
      name: 'refused, read, or logs that AWS delivers',
      records: [
        others,
        put(100, '11', GB.replace('200 -', '403 AccessDenied')),
        put(100, '11', GB.replace('REST.PUT.OBJECT', 'REST.GET.OBJECT')),
        put(100, '11', GB.replace('arn:aws:iam::111122223333:user/Alice', 'svc:delivery.logs.amazonaws.com')),
      ],
      alerts: [],
    },
    {
      name: 'days on which all that was stored was empty are no usual days',
      records: [
        { ...usual(20), repeat: 8, record: usual(20).record.replace('- 20000000000', '- 0') },
        { ...usual(20), repeat: 2, record: put(20, '09') },
        put(150, '11'),
      ],
      alerts: [],
    },
    {
      name: 'the same by REST.POST.OBJECT',
      records: [
        { ...usual(2), record: usual(2).record.replace('REST.PUT.OBJECT', 'REST.POST.OBJECT') },
        put(100, '11').replace('REST.PUT.OBJECT', 'REST.POST.OBJECT'),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    { name: 'just as much as is asked for', records: [others, put(50, '11')], alerts: ALERT },
    { name: 'just as many times the usual', records: [usual(20), put(200, '11')], alerts: ALERT },
    { name: 'not quite as many times the usual', records: [usual(20), put(199, '11')], alerts: [] },
    {
      name: 'a log of which the only other day is three days ago',
      records: [put(1, '08', other), put(100, '11')],
      alerts: ALERT,
    },
    {
      name: 'a log of which the only other day is two weeks ago',
      records: [put(1, '01', other), put(100, '15')],
      alerts: ALERT,
    },
    { name: 'its usual day two weeks ago', records: [put(20, '01'), put(150, '15')], alerts: [] },
  ],
});
