/** One principal asked the same question in many regions within an hour, and does not do so as a habit. */
import { defineDetector, z } from '../../src/detector.ts';

/** What somebody asks who looks for machines, or for room to run some. */
const QUESTIONS = [
  'DescribeInstances',
  'DescribeVpcs',
  'DescribeSecurityGroups',
  'DescribeAccountAttributes',
  'DescribeDBInstances',
  'ListFunctions',
  'ListClusters',
  'GetServiceQuota',
  'ListServiceQuotas',
  'GetSendQuota',
  'ListFoundationModels',
];
const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'ap-south-1',
  'ap-southeast-1',
  'sa-east-1',
];
const ask = (eventName: string | undefined, awsRegion: string | undefined, eventTime: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName,
  awsRegion,
  eventTime,
  readOnly: true,
});
const sweep = (regions: number, eventTime: string, change: object = {}, eventName = 'DescribeInstances') => ({
  repeat: regions,
  every: '10s' as const,
  record: (index: number) => ({ ...ask(eventName, REGIONS[index], eventTime), ...change }),
});
const TODAY = '2025-03-15T09:00:00Z';
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'question-in-many-regions',
  title: 'One question was asked in many regions',
  description:
    'Somebody with stolen credentials goes through all regions: where does something run, where is room for more, where do models answer? Counts regions in which one principal asked the same of a few such questions within an hour. Scanners that do so all the time are told of once, and then only after fourteen days of rest.',
  severity: 'low',
  severityReason: 'A search, nothing taken yet; a new scanner or the global view of the console does the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['discovery'],
  when: { all: [{ event_name: QUESTIONS }, { not: { actor_type: 'service' } }] },
  sql: `-- One row per principal and hour in which it asked one question in many regions, for the first time in 14 days.
WITH asked AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.account_id, c.principal, c.event_name, count(DISTINCT c.aws_region) AS regions
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3, 4
  HAVING count(DISTINCT c.aws_region) >= :regions
), sweeps AS (
  SELECT a.slot, a.account_id, a.principal, max(a.regions) AS peak
  FROM asked AS a
  GROUP BY 1, 2, 3
), steps AS (
  SELECT s.slot, s.account_id, s.principal, s.peak, lag(s.slot) OVER (PARTITION BY s.account_id, s.principal ORDER BY s.slot) AS last_slot
  FROM sweeps AS s
), told AS (
  SELECT s.slot, s.account_id, s.principal, c.event_name, min(s.peak) AS peak, min(c.principal_arn) AS principal_arn, min(c.source_ip) AS source_ip,
    min(c.source_address) AS source_address, min(c.user_agent) AS user_agent, min(c.event_time) AS first_seen, max(c.event_time) AS last_seen,
    count(*) AS calls, array_agg(c.event_id ORDER BY c.event_time, c.event_id) AS event_ids
  FROM steps AS s
  JOIN cloudtrail AS c ON c.principal = s.principal AND date_trunc('hour', c.event_time) = s.slot AND c.account_id IS NOT DISTINCT FROM s.account_id
  WHERE s.last_slot IS NULL OR s.last_slot < s.slot - INTERVAL '14' DAY
  GROUP BY 1, 2, 3, 4
  HAVING count(DISTINCT c.aws_region) >= :regions
)
SELECT t.slot, t.account_id, t.principal, min(t.principal_arn) AS principal_arn, min(t.source_ip) AS source_ip, min(t.source_address) AS source_address,
  min(t.user_agent) AS user_agent, array_join(array_agg(DISTINCT t.event_name ORDER BY t.event_name), ', ') AS questions, min(t.first_seen) AS first_seen,
  max(t.last_seen) AS last_seen, CAST(sum(t.calls) AS BIGINT) AS count, max(t.peak) AS peak, flatten(array_agg(t.event_ids ORDER BY t.event_name)) AS event_ids
FROM told AS t
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  lookback: '14d',
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} asked {questions} in {peak} regions within an hour from {source_address} with {user_agent}',
  parameters: {
    regions: z
      .int()
      .min(2)
      .default(10)
      .describe('regions in which one question was asked within an hour; people work in a few'),
  },
  falsePositives: ['A scanner or an inventory that is set up; the global view of the EC2 console.'],
  blindSpots: [
    'A search over days, and one by a principal that searches all the time.',
    'Regions that a trail of a single region does not record, and regions that are not enabled, where calls fail before they are recorded.',
  ],
  response: [
    'See what was made in any of these regions since: saved question regions-in-use.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'ten regions, refused in some',
      records: [
        sweep(9, TODAY),
        {
          ...ask('DescribeInstances', 'ap-south-1', '2025-03-15T09:50:00Z'),
          errorCode: 'Client.UnauthorizedOperation',
        },
      ],
      alerts: [{ ...ALERT, count: 10, peak: 10 }],
    },
    {
      name: 'each of the questions, told once',
      records: QUESTIONS.map((name) => sweep(10, TODAY, {}, name)),
      alerts: [{ ...ALERT, count: 10 * QUESTIONS.length, peak: 10 }],
    },
    {
      name: 'one question in ten regions, another in two',
      records: [sweep(10, TODAY), sweep(2, TODAY, {}, 'DescribeVpcs')],
      alerts: [{ ...ALERT, count: 10, peak: 10 }],
    },
    { name: 'nine regions', records: [sweep(9, TODAY)], alerts: [] },
    {
      name: 'nine regions, and another question in a tenth',
      records: [sweep(9, TODAY), ask('DescribeVpcs', 'ap-south-1', TODAY)],
      alerts: [],
    },
    {
      name: 'six regions before the hour and six after it',
      records: [
        sweep(6, '2025-03-15T08:55:00Z'),
        { repeat: 6, every: '10s', record: (index) => ask('DescribeInstances', REGIONS[6 + index], TODAY) },
      ],
      alerts: [],
    },
    {
      name: 'a scanner of every two weeks: told at its first run',
      records: [sweep(10, '2025-03-01T09:00:00Z'), sweep(10, TODAY)],
      alerts: [{ ...ALERT, count: 10 }],
    },
    {
      name: 'it rested for longer',
      records: [sweep(10, '2025-03-01T08:00:00Z'), sweep(10, TODAY)],
      alerts: [
        { ...ALERT, count: 10 },
        { ...ALERT, count: 10 },
      ],
    },
    {
      name: 'other questions, or an AWS service',
      records: [
        sweep(12, TODAY, {}, 'DescribeTags'),
        sweep(12, TODAY, { userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } }),
      ],
      alerts: [],
    },
  ],
});
