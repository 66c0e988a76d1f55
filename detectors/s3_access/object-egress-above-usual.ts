/** One object was sent out far more than usual. */
import { defineDetector, z } from '../../src/detector.ts';

const GB =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT video/intro.mp4 "GET /video/intro.mp4 HTTP/1.1" 200 - 1000000000 1000000000 12 10 "https://shop.example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const day = (repeat: number, date: string, record = GB) =>
  ({ repeat, every: '30s', record: record.replace('{time}', `${date}/Mar/2025:09:00:00 +0000`) }) as const;
const usual = Array.from({ length: 10 }, (_, index) => day(2, String(index + 1).padStart(2, '0')));
const elsewhere = GB.replace('shop.example.com', 'forum.example.net');
/** Another object, so that the log has a history. */
const other = (date: string) => day(1, date, GB.replaceAll('video/intro.mp4', 'index.html'));
const others = other('01');
const ALERT = [{ subject: { bucket: 'amzn-s3-demo-bucket', key: 'video/intro.mp4' }, count: 60 }];

export const detector = defineDetector({
  id: 'object-egress-above-usual',
  title: 'An object was fetched far more than usual',
  description:
    'Sums the bytes that were sent of each object and day to visitors without credentials and compares them with the median of its days in the two weeks before. Somebody has linked to it from a busy place, or fetches it in a loop to make you pay.',
  severity: 'low',
  severityReason: 'Costs money and nothing else; fame does the same.',
  table: 's3_access',
  attack: [{ technique: 'T1496', version: 16 }],
  tags: ['impact', 'baseline'],
  when: { bytes_sent: { gt: 0 }, is_anonymous: true },
  sql: `-- One row per object and day in which far more of its bytes were sent than on its usual days.
WITH daily AS (
  SELECT date_trunc('day', s.event_time) AS slot, s.bucket, s.key, sum(s.bytes_sent) AS bytes
  FROM s3_access AS s
  WHERE s.key IS NOT NULL
  GROUP BY 1, 2, 3
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
  SELECT d.slot, d.bucket, d.key, d.bytes
  FROM daily AS d
  JOIN ripe AS r ON r.slot = d.slot
  WHERE d.bytes >= :gigabytes * 1000000000
), ranked AS (
  SELECT l.slot, l.bucket, l.key, h.bytes, row_number() OVER (PARTITION BY l.slot, l.bucket, l.key ORDER BY h.bytes) AS place,
    count(*) OVER (PARTITION BY l.slot, l.bucket, l.key) AS days
  FROM loud AS l
  JOIN daily AS h ON h.bucket = l.bucket AND h.key = l.key AND h.slot < l.slot AND h.slot >= l.slot - INTERVAL '14' DAY
), usual AS (
  SELECT r.slot, r.bucket, r.key, max(r.bytes) AS bytes
  FROM ranked AS r
  WHERE r.place = (r.days + 1) / 2
  GROUP BY 1, 2, 3
), referrers AS (
  SELECT date_trunc('day', s.event_time) AS slot, s.bucket, s.key, coalesce(s.referrer, 'no page') AS referrer,
    row_number() OVER (PARTITION BY date_trunc('day', s.event_time), s.bucket, s.key ORDER BY sum(s.bytes_sent) DESC, s.referrer) AS place
  FROM s3_access AS s
  GROUP BY 1, 2, 3, s.referrer
)
SELECT date_trunc('day', s.event_time) AS slot, s.bucket, s.key, min(f.referrer) AS referrer, count(DISTINCT s.remote_ip) AS addresses,
  min(s.source_ip) AS source_ip, sum(s.bytes_sent) / 1000000000 AS sent_gb, coalesce(min(u.bytes), 0) / 1000000000 AS usual_gb,
  min(s.event_time) AS first_seen, max(s.event_time) AS last_seen, count(*) AS count,
  array_agg(DISTINCT s.request_id ORDER BY s.request_id) AS event_ids
FROM s3_access AS s
JOIN loud AS l ON l.slot = date_trunc('day', s.event_time) AND l.bucket = s.bucket AND l.key = s.key
JOIN referrers AS f ON f.slot = l.slot AND f.bucket = l.bucket AND f.key = l.key AND f.place = 1
LEFT JOIN usual AS u ON u.slot = l.slot AND u.bucket = l.bucket AND u.key = l.key
GROUP BY 1, 2, 3
HAVING sum(s.bytes_sent) >= :times * coalesce(min(u.bytes), 0)
ORDER BY 1, 2, 3`,
  lookback: '14d',
  slot: '1d',
  subject: ['bucket', 'key'],
  summary:
    '{key} of {bucket} was sent {count} times, {sent_gb} GB to {addresses} addresses, mostly from {referrer}; usual are {usual_gb} GB a day',
  parameters: {
    gigabytes: z
      .number()
      .positive()
      .default(50)
      .describe('gigabytes (10^9 bytes) in a day below which nothing is said: a few dollars'),
    times: z
      .number()
      .min(1)
      .default(10)
      .describe(
        'multiple of the median of its days with traffic in the two weeks before; 0 for an object that had none',
      ),
  },
  falsePositives: ['A release, a campaign, an article about you.'],
  blindSpots: [
    'Silent until the log has three days of such traffic, of whomever.',
    'What CloudFront sends: its own log tells.',
    'Many small objects at once: the saved question egress-per-requester.',
  ],
  response: [
    'Put CloudFront before the bucket, or refuse the referrer in the bucket policy.',
    'If few addresses make it up, run s3-requests-of-address for source_ip.',
  ],
  examples: [
    {
      name: 'linked from a forum: sixty times in half an hour after twice a day',
      records: [...usual, day(60, '11', elsewhere)],
      alerts: ALERT,
    },
    { name: 'a new object that becomes famous at once', records: [others, day(60, '11')], alerts: ALERT },
    { name: 'the log begins today', records: [day(60, '11')], alerts: [] },
    { name: 'above usual, but cheap', records: [...usual, day(40, '11')], alerts: [] },
    {
      name: 'the floor is asked for lower',
      records: [...usual, day(40, '11')],
      alerts: [{ subject: { key: 'video/intro.mp4' }, count: 40 }],
      parameters: { gigabytes: 20 },
    },
    {
      name: 'an object that is famous every day',
      records: [others, day(20, '09'), day(20, '10'), day(60, '11')],
      alerts: [],
    },
    {
      name: 'days on which it was only asked for are no usual days',
      records: [
        others,
        ...['03', '04', '05', '06', '07', '08'].map((date) => day(20, date, GB.replace('200 - 1000000000', '200 - -'))),
        day(20, '09'),
        day(20, '10'),
        day(60, '11'),
      ],
      alerts: [],
    },
    {
      name: 'the factor is asked for lower',
      records: [others, day(20, '09'), day(20, '10'), day(60, '11')],
      alerts: ALERT,
      parameters: { times: 3 },
    },
    {
      name: 'fetched by a program with credentials, or asked for only',
      records: [
        others,
        day(
          60,
          '11',
          GB.replace(' - {id}', ' arn:aws:iam::111122223333:user/Alice {id}').replace('= - TLS', '= SigV4 TLS'),
        ),
        day(60, '11', GB.replace('REST.GET', 'REST.HEAD').replace('200 - 1000000000', '200 - -')),
      ],
      alerts: [],
    },
    {
      name: 'just as much as is asked for',
      records: [others, day(50, '11')],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', key: 'video/intro.mp4' }, count: 50 }],
    },
    { name: 'a little less than is asked for', records: [others, day(49, '11')], alerts: [] },
    {
      name: 'just as many times the usual',
      records: [others, day(6, '09'), day(6, '10'), day(60, '11')],
      alerts: ALERT,
    },
    {
      name: 'not quite as many times the usual',
      records: [others, day(6, '09'), day(6, '10'), day(59, '11')],
      alerts: [],
    },
    {
      name: 'a log of which the only other day is three days ago',
      records: [other('08'), day(60, '11')],
      alerts: ALERT,
    },
    {
      name: 'a log of which the only other day is two weeks ago',
      records: [other('01'), day(60, '15')],
      alerts: ALERT,
    },
    { name: 'its usual day two weeks ago', records: [day(7, '01'), day(60, '15')], alerts: [] },
  ],
});
