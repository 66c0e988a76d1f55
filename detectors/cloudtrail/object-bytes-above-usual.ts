/** A principal fetches far more from buckets than it does otherwise. */
import { defineDetector, z } from '../../src/detector.ts';

const gigabyte = {
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  readOnly: true,
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', key: 'a' },
  additionalEventData: { bytesTransferredOut: 1000000000.0 },
};
const burst = (repeat: number, day = '2025-03-11') => ({
  repeat,
  every: '1m' as const,
  record: { ...gigabyte, eventTime: `${day}T10:00:00Z` },
});
const by = (one: ReturnType<typeof burst>) => ({
  ...one,
  record: {
    ...one.record,
    userIdentity: {
      type: 'IAMUser',
      principalId: 'AIDAEXAMPLE',
      arn: 'arn:aws:iam::111122223333:user/Mateo_Jackson',
      accountId: '111122223333',
      userName: 'Mateo_Jackson',
    },
  },
});
const usual = [5, 6, 7, 8, 9, 10].map((day) => burst(1, `2025-03-${String(day).padStart(2, '0')}`));
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 12 };

export const detector = defineDetector({
  id: 'object-bytes-above-usual',
  title: 'Far more data than usual was read from buckets',
  description:
    'Sums the bytes that S3 sent to each principal and hour (bytesTransferredOut of data events) and compares them with the median of its hours with traffic in the week before. A principal that never read before has a usual of nothing.',
  severity: 'high',
  severityReason: 'Data on its way out in bulk, out of character for who reads it.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['exfiltration', 'data-protection', 'baseline'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: ['GetObject', 'SelectObjectContent'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal and hour in which it was sent far more than in its usual hours.
WITH hourly AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.account_id, c.principal,
    sum(nullif(TRY_CAST(json_extract_scalar(c.additional_event_data, '$.bytesTransferredOut') AS DOUBLE), 0)) AS bytes
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3
  HAVING sum(nullif(TRY_CAST(json_extract_scalar(c.additional_event_data, '$.bytesTransferredOut') AS DOUBLE), 0)) IS NOT NULL
), days AS (
  SELECT h.account_id, date_trunc('day', h.slot) AS day
  FROM hourly AS h
  GROUP BY 1, 2
), ripe AS (
  SELECT h.slot, h.account_id
  FROM hourly AS h
  JOIN days AS d ON d.account_id = h.account_id AND d.day <= h.slot - INTERVAL '3' DAY AND d.day >= h.slot - INTERVAL '7' DAY
  GROUP BY 1, 2
), loud AS (
  SELECT h.slot, h.account_id, h.principal, h.bytes
  FROM hourly AS h
  JOIN ripe AS r ON r.slot = h.slot AND r.account_id = h.account_id
  WHERE h.bytes >= :gigabytes * 1000000000
), ranked AS (
  SELECT l.slot, l.account_id, l.principal, h.bytes, row_number() OVER (PARTITION BY l.slot, l.account_id, l.principal ORDER BY h.bytes) AS place,
    count(*) OVER (PARTITION BY l.slot, l.account_id, l.principal) AS hours
  FROM loud AS l
  JOIN hourly AS h ON h.account_id = l.account_id AND h.principal = l.principal AND h.slot < l.slot AND h.slot >= l.slot - INTERVAL '7' DAY
), usual AS (
  SELECT r.slot, r.account_id, r.principal, max(r.bytes) AS bytes
  FROM ranked AS r
  WHERE r.place = (r.hours + 1) / 2
  GROUP BY 1, 2, 3
)
SELECT l.slot, l.account_id, l.principal, min(c.principal_arn) AS principal_arn, min(c.aws_region) AS aws_region, min(c.source_ip) AS source_ip,
  min(c.source_address) AS source_address, CAST(floor(max(l.bytes) / 1000000000) AS BIGINT) AS sent_gb, CAST(floor(coalesce(max(u.bytes), 0) / 1000000000) AS BIGINT) AS usual_gb,
  count(DISTINCT json_extract_scalar(c.request_parameters, '$.bucketName')) AS buckets,
  min(c.event_time) AS first_seen, max(c.event_time) AS last_seen, count(*) AS count, array_agg(c.event_id ORDER BY c.event_time, c.event_id) AS event_ids
FROM loud AS l
JOIN cloudtrail AS c ON c.account_id = l.account_id AND c.principal = l.principal AND date_trunc('hour', c.event_time) = l.slot
  AND nullif(TRY_CAST(json_extract_scalar(c.additional_event_data, '$.bytesTransferredOut') AS DOUBLE), 0) IS NOT NULL
LEFT JOIN usual AS u ON u.slot = l.slot AND u.account_id = l.account_id AND u.principal = l.principal
WHERE l.bytes >= :times * coalesce(u.bytes, 0)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  lookback: '7d',
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} was sent {sent_gb} GB in {count} objects of {buckets} buckets from {source_address}; usual are {usual_gb} GB an hour',
  parameters: {
    gigabytes: z
      .number()
      .positive()
      .default(10)
      .describe('gigabytes (10^9 bytes) in an hour below which nothing is said'),
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of its hours with traffic in the week before; 0 for one that had none'),
  },
  falsePositives: ['A restore, a migration, a new job: suppress its role.'],
  blindSpots: [
    'Needs data events that read objects; many objects of one request of Athena are read by the role of the query.',
    'Silent until the account has three days of such events.',
    'Slow reading below the floor.',
  ],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Withdraw the session; run the saved question principal-timeline for the principal, and bucket-access for the buckets.',
  ],
  examples: [
    { name: 'twelve gigabytes in an hour after one a day', records: [...usual, burst(12)], alerts: [ALERT] },
    {
      name: 'somebody who never read, beside others',
      records: [...usual, by(burst(12))],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' }, count: 12 }],
    },
    {
      name: 'just ten gigabytes in an hour, ten times the usual, and objects without content beside them',
      records: [
        ...usual,
        burst(10),
        { ...burst(5), record: { ...burst(5).record, additionalEventData: { bytesTransferredOut: 0 } } },
      ],
      alerts: [{ ...ALERT, count: 10 }],
    },
    {
      name: 'queries over objects that send as much',
      records: [...usual, { ...burst(12), record: { ...burst(12).record, eventName: 'SelectObjectContent' } }],
      alerts: [ALERT],
    },
    { name: 'below the floor', records: [...usual, burst(9)], alerts: [] },
    { name: 'below the floor, of somebody who never read', records: [...usual, by(burst(9))], alerts: [] },
    {
      name: 'nine times as much as in its usual hours',
      records: [...[5, 6, 7, 8, 9, 10].map((day) => burst(2, `2025-03-${String(day).padStart(2, '0')}`)), burst(19)],
      alerts: [],
    },
    {
      name: 'a job that reads as much every day',
      records: [
        ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((day) => burst(12, `2025-03-${String(day).padStart(2, '0')}`)),
        burst(12),
      ],
      alerts: [],
    },
    { name: 'there is no history', records: [burst(12)], alerts: [] },
    {
      name: 'hours in which all objects were empty are no usual hours',
      records: [
        ...[4, 5, 6, 7, 8, 9, 10].flatMap((day) => {
          const date = `2025-03-${String(day).padStart(2, '0')}`;
          return [
            burst(2, date),
            ...[12, 13, 14].map((hour) => ({
              ...gigabyte,
              eventTime: `${date}T${hour}:00:00Z`,
              additionalEventData: { bytesTransferredOut: 0 },
            })),
          ];
        }),
        burst(12),
      ],
      alerts: [],
    },
    {
      name: 'the floor and the factor are asked for lower',
      records: [...usual, burst(4)],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
      parameters: { gigabytes: 2, times: 4 },
    },
    {
      name: 'refused, another call, another service, without bytes, or by an AWS service',
      records: [
        ...usual,
        ...[
          { errorCode: 'AccessDenied' },
          { eventName: 'HeadObject' },
          { eventSource: 'example.amazonaws.com' },
          { additionalEventData: { bytesTransferredOut: 0 } },
          { userIdentity: { type: 'AWSService', invokedBy: 'athena.amazonaws.com' } },
        ].map((change) => ({ ...burst(12), record: { ...burst(12).record, ...change } })),
      ],
      alerts: [],
    },
  ],
});
