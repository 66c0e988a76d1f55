/** A web ACL that logged every hour logs nothing any more. */
import { defineDetector, z } from '../../src/detector.ts';

const ACL = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555';
/** Three and a half days of one request an hour, and when the next one comes. */
const START = Date.UTC(2025, 2, 3, 10);
const HOUR = 3_600_000;
const busy = { repeat: 84, every: '1h' as const, record: { timestamp: START } };
const after = (hours: number) => ({ timestamp: START + (83 + hours) * HOUR });

export const detector = defineDetector({
  id: 'waf-log-silent',
  title: 'A web ACL stopped logging',
  description:
    'A web ACL that logged requests in nearly every hour of three days has logged none for several hours: its logging was removed, the web ACL no longer stands before the site, or its logs go elsewhere.',
  severity: 'high',
  severityReason: 'Attacks on the site are not seen while it lasts.',
  table: 'waf',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['web', 'defense-evasion'],
  sql: `WITH hours AS (
  SELECT web_acl_id, web_acl_name, account_id, region, date_trunc('hour', event_time) AS h, max(event_time) AS last_t
  FROM waf
  GROUP BY web_acl_id, web_acl_name, account_id, region, date_trunc('hour', event_time)
),
runs AS (
  SELECT web_acl_id, web_acl_name, account_id, region, h, last_t,
    lead(h) OVER (PARTITION BY web_acl_id ORDER BY h) AS next_h,
    lag(h, 71) OVER (PARTITION BY web_acl_id ORDER BY h) AS since
  FROM hours
)
SELECT date_add('hour', :hours, h) AS slot, web_acl_id, web_acl_name, account_id, region AS aws_region, last_t AS first_seen,
  last_t AS last_seen, 1 AS count, CAST(NULL AS ARRAY(VARCHAR)) AS event_ids
FROM runs
WHERE since >= date_add('hour', -79, h) AND date_add('hour', :hours, h) < :to AND (next_h IS NULL OR next_h > date_add('hour', :hours, h))`,
  lookback: '7d',
  slot: '1h',
  subject: ['web_acl_id'],
  summary: 'Web ACL {web_acl_name} of account {account_id} has logged nothing since {first_seen}',
  parameters: {
    hours: z
      .int()
      .min(1)
      .max(48)
      .default(6)
      .describe('hours of silence; a site that is asked for something every hour is not left alone for a night'),
  },
  falsePositives: [
    'A site that was taken down, and one that only people of one country use, over a holiday.',
    'Logs that were delivered late, or that this store was not given: the alert is withdrawn once they are read.',
  ],
  blindSpots: [
    'Web ACLs that are asked for something less than every hour.',
    'It speaks when logs are read: a store that nobody fills is silent as well.',
  ],
  response: [
    'Look for DeleteLoggingConfiguration, PutLoggingConfiguration, DisassociateWebACL and DeleteWebACL in `cloudtrail` around that time.',
  ],
  examples: [
    {
      name: 'a busy web ACL is silent for half a day',
      records: [busy, after(12)],
      alerts: [{ subject: { web_acl_id: ACL } }],
    },
    { name: 'it is silent for five hours', records: [busy, after(5)], alerts: [] },
    { name: 'it was never busy', records: [{ ...busy, repeat: 60 }, { timestamp: START + 80 * HOUR }], alerts: [] },
    {
      name: 'the operator wants to know sooner',
      records: [busy, after(5)],
      alerts: [{ subject: { web_acl_id: ACL } }],
      parameters: { hours: 3 },
    },
  ],
});
