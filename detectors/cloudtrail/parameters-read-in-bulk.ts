/** One principal decrypts many parameters of Systems Manager in a short time. */
import { defineDetector, z } from '../../src/detector.ts';

const names = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `/service/${from + index}/password`);
const readAll = (from: number, count: number, change: object = {}) => ({
  eventSource: 'ssm.amazonaws.com',
  eventName: 'GetParameters',
  requestParameters: { names: names(from, count), withDecryption: true },
  ...change,
});
const readOne = (index: number) => ({
  eventSource: 'ssm.amazonaws.com',
  eventName: 'GetParameter',
  requestParameters: { name: `/service/${index}/password`, withDecryption: true },
});
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'parameters-read-in-bulk',
  title: 'Many encrypted parameters were read by one principal',
  description:
    'Counts distinct parameters that one principal read with decryption within an hour, whether one by one or ten in a call.',
  severity: 'medium',
  severityReason: 'Passwords of many systems may be out; a pipeline that deploys everything looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1555.006', version: 16 }],
  tags: ['credential-access'],
  when: {
    all: [
      { event_source: 'ssm.amazonaws.com', event_name: ['GetParameter', 'GetParameters'], outcome: 'success' },
      { 'request_parameters.withDecryption': true },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal and hour in which it decrypted many distinct parameters.
WITH read AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.event_time, c.event_id, c.account_id, c.principal, c.principal_arn, c.aws_region, c.source_ip,
    c.source_address, n.parameter_name
  FROM cloudtrail AS c
  CROSS JOIN UNNEST(coalesce(TRY_CAST(json_extract(c.request_parameters, '$.names') AS ARRAY(VARCHAR)),
    ARRAY[json_extract_scalar(c.request_parameters, '$.name')])) AS n(parameter_name)
), many AS (
  SELECT r.slot, r.account_id, r.principal, count(DISTINCT r.parameter_name) AS peak
  FROM read AS r
  GROUP BY 1, 2, 3
  HAVING count(DISTINCT r.parameter_name) >= :secrets
), calls AS (
  SELECT r.slot, r.account_id, r.principal, r.event_id, r.event_time, min(r.principal_arn) AS principal_arn, min(r.aws_region) AS aws_region,
    min(r.source_ip) AS source_ip, min(r.source_address) AS source_address
  FROM read AS r
  GROUP BY 1, 2, 3, 4, 5
)
SELECT c.slot, c.account_id, c.principal, min(c.principal_arn) AS principal_arn, min(c.aws_region) AS aws_region, min(c.source_ip) AS source_ip,
  min(c.source_address) AS source_address, min(c.event_time) AS first_seen, max(c.event_time) AS last_seen, count(*) AS count, max(m.peak) AS peak,
  array_agg(c.event_id ORDER BY c.event_time, c.event_id) AS event_ids
FROM calls AS c
JOIN many AS m ON m.slot = c.slot AND m.account_id = c.account_id AND m.principal = c.principal
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} decrypted {peak} parameters in {aws_region} from {source_address} ({count} calls)',
  parameters: {
    secrets: z
      .int()
      .min(2)
      .default(25)
      .describe('distinct parameters within the hour; more than one application needs to start'),
  },
  falsePositives: [
    'Terraform, which reads all parameters it manages.',
    'A pipeline that deploys many services: suppress its role.',
  ],
  blindSpots: [
    'Parameters read by path (GetParametersByPath), whose record does not name them.',
    'A burst over the full hour is judged in two parts.',
  ],
  response: ['List the names and change the secrets behind them.'],
  examples: [
    {
      name: 'three calls with ten parameters each',
      records: [readAll(0, 10), readAll(10, 10), readAll(20, 10)],
      alerts: [{ ...ALERT, count: 3, peak: 30 }],
    },
    {
      name: 'one by one',
      records: [{ repeat: 25, every: '10s', record: readOne }],
      alerts: [{ ...ALERT, count: 25, peak: 25 }],
    },
    { name: 'one parameter fewer', records: [{ repeat: 24, every: '10s', record: readOne }], alerts: [] },
    {
      name: 'the operator asks for fewer',
      records: [readAll(0, 5)],
      alerts: [{ ...ALERT, peak: 5 }],
      parameters: { secrets: 5 },
    },
    { name: 'one parameter again and again', records: [{ repeat: 60, every: '10s', record: readOne(1) }], alerts: [] },
    {
      name: 'without decryption',
      records: [readAll(0, 30, { requestParameters: { names: names(0, 30), withDecryption: false } })],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        readAll(0, 30, { errorCode: 'AccessDeniedException' }),
        readAll(0, 30, { eventName: 'DescribeParameters' }),
        readAll(0, 30, { eventSource: 'example.amazonaws.com' }),
        readAll(0, 30, { userIdentity: { type: 'AWSService', invokedBy: 'ecs-tasks.amazonaws.com' } }),
      ],
      alerts: [],
    },
  ],
});
