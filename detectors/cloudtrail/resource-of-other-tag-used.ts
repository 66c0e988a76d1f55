/** A principal uses a resource whose tag has another value than its own: another team's, another project's. */
import { defineDetector, z } from '../../src/detector.ts';

/** The record as the documentation of `eventContext` has it: tags of resources by ARN, and those of the principal. */
const call = (project: string, own: object, part: object = {}) => ({
  eventVersion: '1.11',
  eventSource: 'ec2.amazonaws.com',
  eventName: 'StopInstances',
  readOnly: false,
  eventContext: {
    requestContext: {},
    tagContext: {
      resourceTags: [
        { arn: 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1234567890abcdef0', tags: { project, env: 'prod' } },
      ],
      principalTags: own,
    },
  },
  ...part,
});
const FENCE = { key: 'project' };
const subject = { arn: 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1234567890abcdef0' };

export const detector = defineDetector({
  id: 'resource-of-other-tag-used',
  title: 'Somebody changed a resource of another team or project',
  description:
    'Where access follows tags, principal and resource carry the same key, such as project. You name it; a successful change by a principal whose value is another one is told. It needs records that carry tags: CloudTrail adds them as eventContext to events that are enriched with resource and principal tags. Without a key it says nothing.',
  severity: 'medium',
  severityReason: 'The boundary between teams did not hold; shared duties look the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['data-protection', 'fence', 'tags'],
  when: { outcome: 'success', read_only: false },
  sql: `-- One row per principal, resource and hour in which a principal changed a resource whose tag has another value than its own.
WITH tagged AS (
  SELECT c.account_id, c.aws_region, c.principal, c.principal_arn, c.source_ip, c.event_time, c.event_id, c.event_name,
    json_extract_scalar(r.item, '$.arn') AS arn,
    element_at(TRY_CAST(json_extract(r.item, '$.tags') AS MAP(VARCHAR, VARCHAR)), :key) AS theirs,
    element_at(TRY_CAST(json_extract(c.event_context, '$.tagContext.principalTags') AS MAP(VARCHAR, VARCHAR)), :key) AS own
  FROM cloudtrail AS c
  CROSS JOIN UNNEST(TRY_CAST(json_extract(c.event_context, '$.tagContext.resourceTags') AS ARRAY(JSON))) AS r(item)
  WHERE c.event_context IS NOT NULL
)
SELECT t.account_id, t.principal, t.arn, min(t.theirs) AS theirs, min(t.own) AS own, min(t.principal_arn) AS principal_arn,
  min(t.aws_region) AS aws_region, min(t.source_ip) AS source_ip, min(t.event_name) AS event_name,
  min(t.event_time) AS first_seen, max(t.event_time) AS last_seen, count(*) AS count,
  array_agg(t.event_id ORDER BY t.event_time, t.event_id) AS event_ids
FROM tagged AS t
WHERE t.theirs <> t.own
GROUP BY t.account_id, t.principal, t.arn, date_trunc('hour', t.event_time)
ORDER BY first_seen`,
  slot: '1h',
  subject: ['account_id', 'principal', 'arn'],
  summary: '{principal} of {own} changed {arn} of {theirs}: {event_name} from {source_ip}',
  parameters: {
    key: z.string().default('').describe('key of the tag that principal and resource share; empty for no fence'),
  },
  falsePositives: ['People who serve several teams: give them no value of their own, or suppress them.'],
  blindSpots: [
    'Records without eventContext: trails do not carry it unless enrichment is turned on for this very tag.',
    'A principal without the tag: call-across-tag-fence looks at those.',
    'Deletions, of which AWS may leave out the tags.',
  ],
  response: ['Ask the owner of the resource.', 'List the calls of the principal on arn.'],
  examples: [
    {
      name: 'another project',
      records: [call('blue', { project: 'green' })],
      parameters: FENCE,
      alerts: [{ subject, count: 1 }],
    },
    { name: 'the same project', records: [call('blue', { project: 'blue' })], parameters: FENCE, alerts: [] },
    { name: 'no project of its own', records: [call('blue', { env: 'dev' })], parameters: FENCE, alerts: [] },
    { name: 'no fence', records: [call('blue', { project: 'green' })], alerts: [] },
    {
      name: 'refused, or reading',
      records: [
        call('blue', { project: 'green' }, { errorCode: 'AccessDenied' }),
        call('blue', { project: 'green' }, { eventName: 'DescribeInstances', readOnly: true }),
      ],
      parameters: FENCE,
      alerts: [],
    },
  ],
});
