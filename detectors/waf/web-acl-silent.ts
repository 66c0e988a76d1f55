/** A web ACL that logs every hour stopped to do so while other logs went on. */
import { defineDetector, z } from '../../src/detector.ts';

const SHOP = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555';
const OTHER = SHOP.replace('shop', 'api');
const START = Date.UTC(2025, 2, 1);
/** Requests at a distance, from that hour on. */
const traffic = (hours: number, { from = 0, perHour = 2, web = SHOP } = {}) =>
  ({
    repeat: hours * perHour,
    every: `${3600 / perHour}s`,
    record: { timestamp: START + from * 3_600_000, webaclId: web },
  }) as const;
const ALERT = [{ subject: { web_acl_id: SHOP } }];
const FEW = { requests: 1 };

export const detector = defineDetector({
  id: 'web-acl-silent',
  title: 'A web ACL stopped to log',
  description:
    'A web ACL that had requests in nearly every hour of three days has none in a whole hour, while another web ACL or the trail of the same account went on: logging was switched off, the web ACL was taken off its resource, or the resource is down. Told once, for the first silent hour.',
  severity: 'high',
  severityReason: 'Without it nobody sees what comes in; that somebody wanted this is one of the explanations.',
  table: 'waf',
  reads: ['cloudtrail'],
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  sql: `-- One row per web ACL and first silent hour after three busy days, while other logs of the account went on.
WITH hourly AS (
  SELECT w.web_acl_id, date_trunc('hour', w.event_time) AS hour_start, min(w.web_acl_name) AS web_acl_name, min(w.account_id) AS account_id,
    min(w.region) AS region, count(*) AS requests
  FROM waf AS w
  GROUP BY 1, 2
), ends AS (
  SELECT h.web_acl_id, h.web_acl_name, h.account_id, h.region, h.hour_start + INTERVAL '1' HOUR AS slot
  FROM hourly AS h
  LEFT JOIN hourly AS n ON n.web_acl_id = h.web_acl_id AND n.hour_start = h.hour_start + INTERVAL '1' HOUR
  WHERE n.web_acl_id IS NULL
), busy AS (
  SELECT e.web_acl_id, e.slot, count(*) AS hours, sum(h.requests) AS requests
  FROM ends AS e
  JOIN hourly AS h ON h.web_acl_id = e.web_acl_id AND h.hour_start < e.slot AND h.hour_start >= e.slot - INTERVAL '72' HOUR
  GROUP BY 1, 2
), others AS (
  SELECT h.hour_start, h.account_id
  FROM hourly AS h
  UNION
  SELECT date_trunc('hour', c.event_time) AS hour_start, c.account_id
  FROM cloudtrail AS c
)
SELECT e.slot, e.web_acl_id, e.web_acl_name, e.account_id, e.region AS aws_region, b.requests / b.hours AS usual,
  e.slot AS first_seen, e.slot AS last_seen, 0 AS count
FROM ends AS e
JOIN busy AS b ON b.web_acl_id = e.web_acl_id AND b.slot = e.slot
JOIN others AS o ON o.hour_start = e.slot AND o.account_id = e.account_id
WHERE b.hours >= :hours AND b.requests >= :requests * b.hours
ORDER BY 1, 2`,
  lookback: '3d',
  slot: '1h',
  subject: ['web_acl_id'],
  summary: '{web_acl_name} logged nothing in an hour, usual are {usual} requests',
  parameters: {
    hours: z
      .int()
      .min(1)
      .max(72)
      .default(70)
      .describe('hours with requests among the 72 before; a site that sleeps at night is not judged'),
    requests: z
      .int()
      .min(1)
      .default(100)
      .describe('requests an hour, on average over those hours; fewer may stay away by chance'),
  },
  falsePositives: ['An outage of the site.', 'A gap in what was ingested: trailhound coverage.'],
  blindSpots: [
    'A web ACL that is the only log in the store.',
    'Logging that is filtered down, but not off.',
    'Sites that are quiet at night.',
  ],
  response: [
    'Look in CloudTrail for DeleteLoggingConfiguration, DisassociateWebACL and DeleteWebACL: web-acl-removed.',
    'See whether the site still answers.',
  ],
  examples: [
    {
      name: 'after four busy days one of two falls silent',
      records: [traffic(96), traffic(120, { web: OTHER })],
      alerts: ALERT,
      parameters: FEW,
    },
    {
      name: 'the trail of the account goes on',
      records: [
        traffic(96),
        { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', eventTime: '2025-03-05T00:20:00Z' },
        { ...traffic(1, { from: 99 }) },
      ],
      alerts: ALERT,
      parameters: FEW,
    },
    { name: 'both go on', records: [traffic(120), traffic(120, { web: OTHER })], alerts: [], parameters: FEW },
    {
      name: 'nothing else tells that logs were delivered',
      records: [traffic(96), traffic(20, { from: 110 })],
      alerts: [],
      parameters: FEW,
    },
    {
      name: 'the other logs are of another account',
      records: [
        traffic(96),
        traffic(120, { web: OTHER.replace('111122223333', '444455556666') }),
        traffic(1, { from: 119 }),
      ],
      alerts: [],
      parameters: FEW,
    },
    {
      name: 'a site that is busy for too short a time',
      records: [traffic(60), traffic(120, { web: OTHER })],
      alerts: [],
      parameters: FEW,
    },
    {
      name: 'fewer hours are enough',
      records: [traffic(60), traffic(120, { web: OTHER })],
      alerts: ALERT,
      parameters: { ...FEW, hours: 50 },
    },
    { name: 'a site with two visitors an hour', records: [traffic(96), traffic(120, { web: OTHER })], alerts: [] },
  ],
});
