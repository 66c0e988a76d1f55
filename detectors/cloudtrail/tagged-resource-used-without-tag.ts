/** A resource with a tag is changed by a principal without the tag that belongs to it. */
import { defineDetector, z } from '../../src/detector.ts';

/** The record as the documentation of `eventContext` has it: tags of resources by ARN, and those of the principal. */
const call = (resourceTags: object, principalTags: object | undefined, part: object = {}) => ({
  eventVersion: '1.11',
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketPolicy',
  readOnly: false,
  eventContext: {
    requestContext: { 'aws:SourceVpc': 'vpc-1a2b3c4d' },
    tagContext: {
      resourceTags: [
        { arn: 'arn:aws:s3:::other-bucket', tags: { owner: 'Bob' } },
        { arn: 'arn:aws:s3:::amzn-s3-demo-bucket', tags: resourceTags },
      ],
      ...(principalTags !== undefined && { principalTags }),
    },
  },
  ...part,
});
const secret = { 'data-class': 'secret', owner: 'Alice' };
const FENCE = {
  resource_tag: 'data-class',
  resource_value: 'secret',
  principal_tag: 'clearance',
  principal_value: 'yes',
};
const subject = { arn: 'arn:aws:s3:::amzn-s3-demo-bucket' };

export const detector = defineDetector({
  id: 'tagged-resource-used-without-tag',
  title: 'A tagged resource was used by somebody without the tag for it',
  description:
    'You name a tag of resources and the tag that principals must have who use them; a successful call by any other is told. It needs records that carry tags: CloudTrail adds them as eventContext to events that are enriched with resource and principal tags. Without a tag named it says nothing.',
  severity: 'medium',
  severityReason: 'The policy that should have stopped the call did not; whether it does harm, the call tells.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['data-protection', 'fence', 'tags'],
  when: { outcome: 'success' },
  sql: `-- One row per principal, resource and hour in which a principal without the tag used a tagged resource.
WITH tagged AS (
  SELECT c.account_id, c.aws_region, c.principal, c.principal_arn, c.source_ip, c.event_time, c.event_id, c.event_name,
    json_extract_scalar(r.item, '$.arn') AS arn,
    TRY_CAST(json_extract(r.item, '$.tags') AS MAP(VARCHAR, VARCHAR)) AS resource_tags,
    TRY_CAST(json_extract(c.event_context, '$.tagContext.principalTags') AS MAP(VARCHAR, VARCHAR)) AS principal_tags
  FROM cloudtrail AS c
  CROSS JOIN UNNEST(TRY_CAST(json_extract(c.event_context, '$.tagContext.resourceTags') AS ARRAY(JSON))) AS r(item)
  WHERE c.event_context IS NOT NULL
)
SELECT t.account_id, t.principal, t.arn, min(t.principal_arn) AS principal_arn, min(t.aws_region) AS aws_region,
  min(t.source_ip) AS source_ip, min(t.event_name) AS event_name, min(t.event_time) AS first_seen,
  max(t.event_time) AS last_seen, count(*) AS count, array_agg(t.event_id ORDER BY t.event_time, t.event_id) AS event_ids
FROM tagged AS t
WHERE :resource_tag <> '' AND element_at(t.resource_tags, :resource_tag) IS NOT NULL
  AND (:resource_value = '' OR element_at(t.resource_tags, :resource_tag) = :resource_value)
  AND coalesce(element_at(t.principal_tags, :principal_tag), '') <> CASE WHEN :principal_value = '' THEN coalesce(nullif(element_at(t.principal_tags, :principal_tag), ''), '-') ELSE :principal_value END
GROUP BY t.account_id, t.principal, t.arn, date_trunc('hour', t.event_time)
ORDER BY first_seen`,
  slot: '1h',
  subject: ['account_id', 'principal', 'arn'],
  summary:
    '{principal} made {count} calls on {arn} without the tag that its resources ask for: {event_name} from {source_ip}',
  parameters: {
    resource_tag: z
      .string()
      .default('')
      .describe('key of the tag of the resources inside the fence; empty for no fence'),
    resource_value: z.string().default('').describe('its value; empty for any'),
    principal_tag: z.string().default('').describe('key of the tag that a principal needs who uses them'),
    principal_value: z.string().default('').describe('its value; empty for any'),
  },
  falsePositives: ['A tag that was put on the resource or the principal a moment ago: AWS takes some time to know it.'],
  blindSpots: [
    'Records without eventContext: trails do not carry it unless enrichment is turned on for these very tags.',
    'Deletions, of which AWS may leave out the tags.',
    'Tags of the principal that no policy asked for may be missing from the record.',
  ],
  response: [
    'Compare the policy of the resource with the tags of the principal.',
    'List the calls of the principal on arn.',
  ],
  examples: [
    {
      name: 'a principal of another tag',
      records: [call(secret, { clearance: 'no' })],
      parameters: FENCE,
      alerts: [{ subject, count: 1 }],
    },
    {
      name: 'a principal without any tag',
      records: [call(secret, undefined)],
      parameters: FENCE,
      alerts: [{ subject }],
    },
    { name: 'a principal with the tag', records: [call(secret, { clearance: 'yes' })], parameters: FENCE, alerts: [] },
    {
      name: 'any value will do',
      records: [call(secret, { clearance: 'no' })],
      parameters: { ...FENCE, principal_value: '' },
      alerts: [],
    },
    {
      name: 'a resource outside the fence',
      records: [call({ 'data-class': 'public' }, {}), call({ owner: 'Alice' }, {})],
      parameters: FENCE,
      alerts: [],
    },
    { name: 'no fence', records: [call(secret, {})], alerts: [] },
    {
      name: 'refused, or without tags in the record',
      records: [
        call(secret, {}, { errorCode: 'AccessDenied' }),
        call(secret, {}, { eventContext: { requestContext: {} } }),
      ],
      parameters: FENCE,
      alerts: [],
    },
  ],
});
