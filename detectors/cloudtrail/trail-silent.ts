/** A region of an account that always had events has none. */
import { defineDetector, z } from '../../src/detector.ts';

const event = (awsRegion: string, eventTime: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'DescribeInstances',
  awsRegion,
  eventTime,
});
/** Events of each hour of three days. */
const busy = (hours: number, perHour: number, eventTime = '2025-03-01T00:00:00Z', awsRegion = 'eu-west-1') => ({
  repeat: hours * perHour,
  every: `${60 / perHour}m` as const,
  record: event(awsRegion, eventTime),
});
/** Another region that goes on. */
const other = (hours: number) =>
  ({ repeat: hours, every: '1h', record: event('us-east-1', '2025-03-01T00:00:00Z') }) as const;
const ALERT = [{ subject: { account_id: '111122223333', aws_region: 'eu-west-1' }, count: 0 }];

export const detector = defineDetector({
  id: 'trail-silent',
  title: 'A trail fell silent',
  description:
    'An account had events in a region in each hour of three days, and then none for two hours, while other regions, accounts or logs in the store went on. Trails can be stopped, emptied by their selectors, or robbed of their bucket in ways that leave no event behind; silence is what remains. Told once, for the second silent hour.',
  severity: 'high',
  severityReason: 'Without the trail nobody sees what happens; that somebody wanted this is one of the explanations.',
  table: 'cloudtrail',
  reads: ['s3_access', 'waf'],
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  sql: `-- One row per account and region that fell silent for two hours after three days with events in each hour, while other logs went on.
WITH hourly AS (
  SELECT c.account_id, c.aws_region, date_trunc('hour', c.event_time) AS hour_start, count(*) AS events
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3
), steps AS (
  SELECT h.account_id, h.aws_region, h.hour_start, lead(h.hour_start) OVER (PARTITION BY h.account_id, h.aws_region ORDER BY h.hour_start) AS next_hour
  FROM hourly AS h
), ends AS (
  SELECT s.account_id, s.aws_region, s.hour_start + INTERVAL '1' HOUR AS silent_from, s.hour_start + INTERVAL '2' HOUR AS slot
  FROM steps AS s
  WHERE s.next_hour IS NULL OR s.next_hour > s.hour_start + INTERVAL '2' HOUR
), busy AS (
  SELECT e.account_id, e.aws_region, e.slot, min(e.silent_from) AS silent_from, count(*) AS hours, min(h.events) AS least, CAST(sum(h.events) AS BIGINT) AS events
  FROM ends AS e
  JOIN hourly AS h ON h.account_id = e.account_id AND h.aws_region = e.aws_region AND h.hour_start < e.silent_from
    AND h.hour_start >= e.silent_from - INTERVAL '72' HOUR
  GROUP BY 1, 2, 3
), alive AS (
  SELECT h.hour_start
  FROM hourly AS h
  UNION
  SELECT date_trunc('hour', s.event_time) AS hour_start
  FROM s3_access AS s
  UNION
  SELECT date_trunc('hour', w.event_time) AS hour_start
  FROM waf AS w
)
SELECT b.slot, b.account_id, b.aws_region, b.events / b.hours AS usual, b.silent_from AS first_seen, b.slot AS last_seen, 0 AS count
FROM busy AS b
JOIN alive AS a ON a.hour_start = b.slot
JOIN alive AS p ON p.hour_start = b.silent_from
WHERE b.hours >= :hours AND b.least >= :events
ORDER BY 1, 2, 3`,
  lookback: '4d',
  slot: '1h',
  subject: ['account_id', 'aws_region'],
  summary: 'No events of account {account_id} in {aws_region} for two hours, usual are {usual} an hour',
  parameters: {
    hours: z
      .int()
      .min(1)
      .max(72)
      .default(72)
      .describe('hours with events among the 72 before; a region that sleeps at night is not judged'),
    events: z.int().min(1).default(20).describe('events in the quietest of these hours; fewer may stay away by chance'),
  },
  falsePositives: ['An account or a region that is given up.', 'A gap in what was ingested: trailhound coverage.'],
  blindSpots: [
    'Regions with quiet hours, and an account that is alone in the store with one region.',
    'A trail that goes on but leaves out some events: event-selectors-cut.',
    'Log files that come later than the lateness of the hunt: the alert is withdrawn when they do.',
  ],
  response: [
    'Look for StopLogging, DeleteTrail, PutEventSelectors and changes of the bucket in the last hours: saved question recent-changes.',
    'Check the digest files with trailhound verify.',
  ],
  examples: [
    {
      name: 'three busy days, then nothing, while another region goes on',
      records: [busy(72, 20), other(74)],
      alerts: ALERT,
    },
    {
      name: 'it comes back later: told for the second silent hour all the same',
      records: [busy(72, 20), other(80), event('eu-west-1', '2025-03-04T02:00:00Z')],
      alerts: ALERT,
    },
    {
      name: 'the other log is that of a bucket, or of a web ACL',
      records: [
        busy(72, 20),
        '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [04/Mar/2025:00:30:00 +0000] 192.0.2.3 - {id} REST.GET.OBJECT a.txt "GET /a.txt HTTP/1.1" 200 - 10 10 7 6 "-" "curl/8.5.0" - x SigV4 - AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - -',
        { timestamp: Date.UTC(2025, 2, 4, 1, 30), httpRequest: { uri: '/' } },
      ],
      alerts: ALERT,
    },
    {
      name: 'one hour of silence',
      records: [busy(72, 20), other(80), event('eu-west-1', '2025-03-04T01:00:00Z')],
      alerts: [],
    },
    {
      name: 'one hour of three days was empty',
      records: [busy(71, 20, '2025-03-01T01:00:00Z'), other(80)],
      alerts: [],
    },
    {
      name: 'one of its hours was quiet',
      records: [
        busy(71, 20, '2025-03-01T00:00:00Z'),
        { repeat: 19, every: '3m', record: event('eu-west-1', '2025-03-03T23:00:00Z') },
        other(80),
      ],
      alerts: [],
    },
    { name: 'the whole store is silent, as after a broken delivery', records: [busy(72, 20), other(72)], alerts: [] },
    { name: 'the others are silent in one of the two hours', records: [busy(72, 20), other(73)], alerts: [] },
    {
      name: 'the others are silent in the first of them',
      records: [busy(72, 20), other(72), event('us-east-1', '2025-03-04T01:00:00Z')],
      alerts: [],
    },
  ],
});
