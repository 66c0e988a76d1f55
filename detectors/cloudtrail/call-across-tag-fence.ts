/** A resource with a certain tag was called upon by a principal without the tag that goes with it. */
import { defineDetector, z } from '../../src/detector.ts';

const call = (
  resource: Readonly<Record<string, string>> | null,
  principal: Readonly<Record<string, string>> | null,
  eventTime = '2025-03-03T10:00:00Z',
) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  eventTime,
  eventContext: {
    requestContext: {},
    tagContext: {
      ...(resource === null ? {} : { resourceTags: [{ arn: 'arn:aws:s3:::amzn-s3-demo-bucket', tags: resource }] }),
      ...(principal === null ? {} : { principalTags: principal }),
    },
  },
});
const PRODUCTION = { stage: 'production', team: 'shop' };
const FENCE = {
  resource_key: 'stage',
  resource_value: 'production',
  principal_key: 'clearance',
  principal_value: 'production',
};

// Fields: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-context-events.html
export const detector = defineDetector({
  id: 'call-across-tag-fence',
  title: 'A tagged resource was touched by a principal without the tag for it',
  description:
    'Where trails or event data stores enrich events, each record carries the chosen tags of resource and principal. Name a tag of resources, such as stage = production, and the tag that a principal needs for them; a call on such a resource by anybody else that succeeds is told once an hour. Silent until a tag is named.',
  severity: 'medium',
  severityReason: 'You drew the line by tags; the policy that should hold it does not.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['fence'],
  when: {
    all: [{ outcome: 'success' }, { not: { actor_type: 'service' } }],
  },
  sql: `-- One row per principal and hour in which it touched resources with the tag without having the tag that goes with it.
WITH tagged AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.event_time, c.event_id, c.account_id, c.principal, c.principal_arn, c.aws_region, c.source_ip,
    c.source_address, c.event_name, json_format(json_extract(c.event_context, '$.tagContext.resourceTags')) AS resource_tags,
    coalesce(json_format(json_extract(c.event_context, '$.tagContext.principalTags')), '') AS principal_tags
  FROM cloudtrail AS c
)
SELECT t.slot, t.account_id, t.principal, min(t.principal_arn) AS principal_arn, min(t.aws_region) AS aws_region, min(t.source_ip) AS source_ip,
  min(t.source_address) AS source_address, min(t.event_name) AS event_name, min(t.event_time) AS first_seen, max(t.event_time) AS last_seen,
  count(*) AS count, array_agg(t.event_id ORDER BY t.event_time, t.event_id) AS event_ids
FROM tagged AS t
WHERE :resource_key <> ''
  AND strpos(t.resource_tags, concat('"', :resource_key, '":"', concat(:resource_value, '"'))) > 0
  AND strpos(t.principal_tags, concat('"', :principal_key, '":"', concat(:principal_value, '"'))) = 0
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on a resource behind the tag fence, from {source_address} ({count} calls in the hour)',
  parameters: {
    resource_key: z
      .string()
      .default('')
      .describe('key of the tag of resources; the default names none, and nothing is told'),
    resource_value: z.string().default('').describe('value of the tag of resources'),
    principal_key: z.string().default('').describe('key of the tag that a principal needs for them'),
    principal_value: z.string().default('').describe('value of the tag that a principal needs'),
  },
  falsePositives: ['A principal that may touch them for another reason; a tag that came a few minutes late.'],
  blindSpots: [
    'Needs enriched events (PutEventConfiguration) with these tag keys: without event_context nothing is judged.',
    'A tag that CloudTrail left out because no policy asked for it; deletions mostly carry no tags.',
    'Keys and values with quotation marks or backslashes.',
  ],
  response: [
    'Read event_context of the events: saved question principal-timeline for the principal.',
    'Ask for the tag in the policy of the resource (aws:PrincipalTag).',
  ],
  examples: [
    {
      name: 'without the tag, with another value, and with none at all',
      records: [call(PRODUCTION, { team: 'shop' }), call(PRODUCTION, { clearance: 'test' }), call(PRODUCTION, null)],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 }],
      parameters: FENCE,
    },
    { name: 'with the tag', records: [call(PRODUCTION, { clearance: 'production' })], alerts: [], parameters: FENCE },
    {
      name: 'resources with another value, with that value under another key, or without tags',
      records: [call({ stage: 'test' }, {}), call({ name: 'production' }, {}), call(null, {})],
      alerts: [],
      parameters: FENCE,
    },
    { name: 'no tag is named', records: [call({ '': '' }, {})], alerts: [] },
    {
      name: 'a refusal, or an AWS service',
      records: [
        { ...call(PRODUCTION, {}), errorCode: 'AccessDenied' },
        { ...call(PRODUCTION, {}), userIdentity: { type: 'AWSService', invokedBy: 's3.amazonaws.com' } },
      ],
      alerts: [],
      parameters: FENCE,
    },
  ],
});
