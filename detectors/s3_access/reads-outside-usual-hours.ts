/** A person reads objects at an hour at which that person never works. */
import { defineDetector, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
/** Ten days, three reads each: at 8, 11 and 14 o'clock. */
const worked = (count: number, record = read) =>
  Array.from({ length: count * 3 }, (_, index) =>
    record.replace(
      '{time}',
      `${String(Math.floor(index / 3) + 1).padStart(2, '0')}/Mar/2025:${String(8 + (index % 3) * 3).padStart(2, '0')}:00:00 +0000`,
    ),
  );
const at = (hour: string, record = read, repeat = 20) =>
  ({ repeat, every: '1m', record: record.replace('{time}', `11/Mar/2025:${hour}:10:00 +0000`) }) as const;
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20 }];

export const detector = defineDetector({
  id: 'reads-outside-usual-hours',
  title: 'A principal read objects at an unusual hour',
  description:
    'Hours of the day are compared with those of the same principal in the two weeks before, so that neither time zone nor shift has to be told. An hour is unusual when it lies several hours away from every hour at which the principal was seen, around the clock.',
  severity: 'low',
  severityReason: 'People do work at night now and then.',
  table: 's3_access',
  attack: [
    { technique: 'T1078.004', version: 16 },
    { technique: 'T1530', version: 16 },
  ],
  tags: ['collection', 'baseline'],
  when: {
    all: [
      { operation: 'REST.GET.OBJECT', outcome: 'success', is_anonymous: false },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  sql: `-- One row per principal and hour in which it read many objects far from its usual hours of the day.
WITH reads AS (
  SELECT date_trunc('hour', s.event_time) AS slot, s.principal, count(*) AS objects
  FROM s3_access AS s
  GROUP BY 1, 2
), distances AS (
  SELECT r.slot, r.principal, count(DISTINCT date_trunc('day', h.slot)) AS days,
    min(CASE WHEN abs(hour(h.slot) - hour(r.slot)) > 12 THEN 24 - abs(hour(h.slot) - hour(r.slot)) ELSE abs(hour(h.slot) - hour(r.slot)) END) AS distance
  FROM reads AS r
  JOIN reads AS h ON h.principal = r.principal AND h.slot < date_trunc('day', r.slot) AND h.slot >= date_trunc('day', r.slot) - INTERVAL '14' DAY
  WHERE r.objects >= :objects
  GROUP BY 1, 2
)
SELECT d.slot, s.principal, min(s.principal_arn) AS principal_arn, min(s.account_id) AS account_id, min(s.source_ip) AS source_ip,
  min(s.bucket) AS bucket, min(d.distance) AS distance, min(d.days) AS days, min(s.event_time) AS first_seen, max(s.event_time) AS last_seen,
  count(*) AS count, array_agg(s.request_id ORDER BY s.event_time, s.request_id) AS event_ids
FROM distances AS d
JOIN s3_access AS s ON s.principal = d.principal AND date_trunc('hour', s.event_time) = d.slot
WHERE d.days >= :days AND d.distance >= :hours
GROUP BY 1, 2
ORDER BY 1, 2`,
  // Two weeks before the day of the slot.
  lookback: '15d',
  slot: '1h',
  subject: ['principal'],
  summary:
    '{principal} read {count} objects, some in {bucket}, from {source_ip}, {distance} hours away from any hour of its last {days} days',
  parameters: {
    objects: z.int().min(1).default(20).describe('objects read in the hour; one or two are a bookmark'),
    hours: z
      .int()
      .min(1)
      .max(12)
      .default(4)
      .describe('hours between this and the nearest usual hour of the day; overtime stays below'),
    days: z.int().min(1).max(14).default(5).describe('days of the 14 before on which the principal was seen'),
  },
  falsePositives: [
    'A night shift, a release at night, a trip to another continent.',
    'A job whose schedule was moved.',
  ],
  blindSpots: [
    'Principals that are busy around the clock.',
    'A thief who works at the same hours.',
    'Silent for principals with few days of log.',
  ],
  response: [
    'Run the saved question requester-activity for principal; compare source_ip with that of the days before.',
  ],
  examples: [
    {
      name: 'after ten days of office hours, twenty objects at two in the night',
      records: [...worked(10), at('02')],
      alerts: ALERT,
    },
    { name: 'one object fewer', records: [...worked(10), at('02', read, 19)], alerts: [] },
    { name: 'overtime', records: [...worked(10), at('17')], alerts: [] },
    { name: 'the operator is stricter', records: [...worked(10), at('17')], alerts: ALERT, parameters: { hours: 3 } },
    { name: 'seen on too few days', records: [...worked(4), at('02')], alerts: [] },
    {
      name: 'the operator asks for fewer days',
      records: [...worked(4), at('02')],
      alerts: ALERT,
      parameters: { days: 4 },
    },
    {
      name: 'the operator asks for fewer objects',
      records: [...worked(10), at('02', read, 2)],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 }],
      parameters: { objects: 2 },
    },
    {
      name: 'midnight is near eleven in the evening',
      records: [...worked(10, read).map((record) => record.replace('2025:14', '2025:23')), at('01')],
      alerts: [],
    },
    {
      name: 'stored, or refused',
      records: [
        ...worked(10),
        at('02', read.replace('REST.GET', 'REST.PUT')),
        at('02', read.replace('200 -', '403 AccessDenied')),
      ],
      alerts: [],
    },
    {
      name: 'visitors of a public site, and CloudFront',
      records: ['-', 'svc:cloudfront.amazonaws.com'].flatMap((who) => {
        const record = read.replace('arn:aws:iam::111122223333:user/Alice', who);
        const theirs = who === '-' ? record.replace('= SigV4', '= -').replace('AuthHeader', '-') : record;
        return [...worked(10, theirs), at('02', theirs)];
      }),
      alerts: [],
    },
  ],
});
