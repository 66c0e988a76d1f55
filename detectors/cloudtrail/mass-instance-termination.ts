/** One principal terminates many EC2 instances in a short time. */
import { defineDetector, z } from '../../src/detector.ts';

const ids = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ instanceId: `i-${String(from + index).padStart(17, '0')}` }));
const terminate = (from: number, count: number, change: object = {}) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'TerminateInstances',
  requestParameters: { instancesSet: { items: ids(from, count) } },
  ...change,
});
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'mass-instance-termination',
  title: 'Many EC2 instances were terminated',
  description:
    'Counts distinct instances that one principal terminated within ten minutes, whether in many calls or in one call with many instances. Once a day and principal; the window slides, so a burst over the full hour is one.',
  severity: 'high',
  severityReason: 'Irreversible, and at this pace either a tool at work or somebody destroying.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'TerminateInstances', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal and day in which it terminated many distinct instances within ten minutes.
WITH terminated AS (
  SELECT date_trunc('day', c.event_time) AS slot, c.event_time, c.event_id, c.account_id, c.principal, c.principal_arn, c.aws_region, c.source_ip,
    c.source_address, json_extract_scalar(i.item, '$.instanceId') AS instance_id
  FROM cloudtrail AS c
  CROSS JOIN UNNEST(TRY_CAST(json_extract(c.request_parameters, '$.instancesSet.items') AS ARRAY(JSON))) AS i(item)
), terminations AS (
  SELECT t.slot, t.account_id, t.principal, t.instance_id, t.event_time
  FROM terminated AS t
  GROUP BY 1, 2, 3, 4, 5
), spans AS (
  SELECT t.slot, t.account_id, t.principal, t.event_time AS from_time,
    least(date_add('minute', 10, t.event_time), coalesce(lead(t.event_time) OVER (PARTITION BY t.slot, t.account_id, t.principal, t.instance_id ORDER BY t.event_time), date_add('minute', 10, t.event_time))) AS to_time
  FROM terminations AS t
), steps AS (
  SELECT s.slot, s.account_id, s.principal, s.from_time AS at_time, 1 AS delta FROM spans AS s
  UNION ALL
  SELECT s.slot, s.account_id, s.principal, s.to_time AS at_time, -1 AS delta FROM spans AS s
), running AS (
  SELECT s.slot, s.account_id, s.principal,
    sum(s.delta) OVER (PARTITION BY s.slot, s.account_id, s.principal ORDER BY s.at_time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS live
  FROM steps AS s
), hot AS (
  SELECT r.slot, r.account_id, r.principal, max(r.live) AS peak
  FROM running AS r
  GROUP BY 1, 2, 3
  HAVING max(r.live) >= :instances
), calls AS (
  SELECT t.slot, t.account_id, t.principal, t.event_id, t.event_time, min(t.principal_arn) AS principal_arn, min(t.aws_region) AS aws_region,
    min(t.source_ip) AS source_ip, min(t.source_address) AS source_address
  FROM terminated AS t
  GROUP BY 1, 2, 3, 4, 5
)
SELECT c.slot, c.account_id, c.principal, min(c.principal_arn) AS principal_arn, min(c.aws_region) AS aws_region, min(c.source_ip) AS source_ip,
  min(c.source_address) AS source_address, min(c.event_time) AS first_seen, max(c.event_time) AS last_seen, count(*) AS count, max(h.peak) AS peak,
  array_agg(c.event_id ORDER BY c.event_time, c.event_id) AS event_ids
FROM calls AS c
JOIN hot AS h ON h.slot = c.slot AND h.account_id = c.account_id AND h.principal = c.principal
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1d',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} terminated {peak} instances within ten minutes in {aws_region} from {source_address} ({count} calls that day)',
  parameters: {
    instances: z
      .int()
      .min(2)
      .default(10)
      .describe('distinct instances within ten minutes; more than a person ends one by one'),
  },
  falsePositives: ['A test environment that is taken down, a batch cluster that shrinks: suppress its role.'],
  blindSpots: [
    'Instances that Auto Scaling ends because somebody set the desired capacity to 0 (UpdateAutoScalingGroup).',
    'A burst over midnight UTC counts as two.',
  ],
  response: [
    'Stop the session first. The instance ids stand in request_parameters.instancesSet of the calls; volumes that were kept can still be saved.',
  ],
  examples: [
    { name: 'twelve instances in one call', records: [terminate(0, 12)], alerts: [{ ...ALERT, count: 1, peak: 12 }] },
    {
      name: 'ten calls with one instance each',
      records: [{ repeat: 10, every: '50s', record: (index) => terminate(index, 1) }],
      alerts: [{ ...ALERT, count: 10, peak: 10 }],
    },
    {
      name: 'a burst over the full hour',
      records: [
        {
          repeat: 10,
          every: '50s',
          record: (index) => terminate(index, 1, index === 0 ? { eventTime: '2025-03-03T09:56:00Z' } : {}),
        },
      ],
      alerts: [{ ...ALERT, count: 10 }],
    },
    { name: 'one instance fewer', records: [terminate(0, 9)], alerts: [] },
    {
      name: 'the operator asks for fewer',
      records: [terminate(0, 3)],
      alerts: [{ ...ALERT, peak: 3 }],
      parameters: { instances: 3 },
    },
    {
      name: 'one instance again and again',
      records: [{ repeat: 20, every: '10s', record: terminate(0, 1) }],
      alerts: [],
    },
    {
      name: 'as many over a day',
      records: [{ repeat: 10, every: '1h', record: (index) => terminate(index, 1) }],
      alerts: [],
    },
    {
      name: 'refused, only stopped, another service, or by Auto Scaling',
      records: [
        terminate(0, 12, { errorCode: 'Client.UnauthorizedOperation' }),
        terminate(0, 12, { eventName: 'StopInstances' }),
        terminate(0, 12, { eventSource: 'example.amazonaws.com' }),
        terminate(0, 12, { userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } }),
      ],
      alerts: [],
    },
  ],
});
