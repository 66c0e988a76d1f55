/** A role may be assumed from another AWS account. */
import { defineDetector, z } from '../../src/detector.ts';

const trust = (Principal: unknown, Effect = 'Allow') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Principal, Action: 'sts:AssumeRole' }] });
const update = (policyDocument: string) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'UpdateAssumeRolePolicy',
  requestParameters: { roleName: 'Builder', policyDocument },
});
const STRANGER = { AWS: 'arn:aws:iam::444455556666:root' };
const foreign = update(trust(STRANGER));
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', role_name: 'Builder' } }];

export const detector = defineDetector({
  id: 'role-trust-given-to-account',
  title: 'A role was opened to another account',
  description:
    'The trust policy of a role, new or rewritten, names the root, a user or a role of an account that is neither the own one nor in known_accounts. A back door of this kind survives the change of every key.',
  severity: 'medium',
  severityReason: 'A door for somebody outside; sister accounts and vendors are let in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['persistence'],
  when: { event_source: 'iam.amazonaws.com', event_name: ['UpdateAssumeRolePolicy', 'CreateRole'], outcome: 'success' },
  sql: `-- One row per principal, role and hour in which a trust policy was opened to another account.
WITH written AS (
  SELECT date_trunc('hour', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    coalesce(json_extract_scalar(request_parameters, '$.roleName'), 'unknown') AS role_name,
    coalesce(json_extract_scalar(request_parameters, '$.policyDocument'), json_extract_scalar(request_parameters, '$.assumeRolePolicyDocument')) AS document
  FROM cloudtrail
), decoded AS (
  SELECT written.*, CASE WHEN starts_with(document, '%') THEN try(url_decode(document)) ELSE document END AS policy
  FROM written
)
SELECT slot, account_id, principal, role_name, min(principal_arn) AS principal_arn, min(aws_region) AS aws_region, min(source_ip) AS source_ip,
  min(source_address) AS source_address, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count,
  array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM decoded
WHERE cardinality(filter(
    coalesce(TRY_CAST(json_extract(policy, '$.Statement') AS ARRAY(JSON)), ARRAY[json_extract(policy, '$.Statement')]),
    statement -> json_extract_scalar(statement, '$.Effect') = 'Allow'
      AND cardinality(filter(regexp_extract_all(json_format(json_extract(statement, '$.Principal.AWS')), '[0-9]{12}'),
        account -> account <> account_id AND strpos(:known_accounts, account) = 0)) > 0
  )) > 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'role_name'],
  summary: '{principal} opened role {role_name} to another account from {source_address}',
  parameters: {
    known_accounts: z
      .string()
      .regex(/^([0-9]{12}(,[0-9]{12})*)?$/)
      .default('')
      .describe('account ids, separated by commas, that may be let in: those of your organization and of vendors'),
  },
  falsePositives: ['A vendor is taken on, a role for a sister account is made: add the account.'],
  blindSpots: ['Everybody at once: role-trust-opened.', 'Identity providers: identity-provider-changed.'],
  response: [
    'Find out whose the account is; restore the trust; list AssumeRole events of the role by user_account_id.',
    'Run the saved question role-assumptions for request_parameters.roleName.',
  ],
  examples: [
    { name: 'the trust is given to another account', records: [foreign], alerts: ALERT },
    { name: 'the document is URL-encoded', records: [update(encodeURIComponent(trust(STRANGER)))], alerts: ALERT },
    {
      name: 'a role is created for another account beside the own one',
      records: [
        {
          ...foreign,
          eventName: 'CreateRole',
          requestParameters: {
            roleName: 'Builder',
            assumeRolePolicyDocument: trust({ AWS: ['111122223333', '444455556666'] }),
          },
        },
      ],
      alerts: ALERT,
    },
    {
      name: 'the trust stays in the house',
      records: [
        update(trust({ AWS: 'arn:aws:iam::111122223333:root' })),
        update(trust({ Service: 'ec2.amazonaws.com' })),
      ],
      alerts: [],
    },
    { name: 'another account is denied', records: [update(trust(STRANGER, 'Deny'))], alerts: [] },
    { name: 'a known account', records: [foreign], alerts: [], parameters: { known_accounts: '444455556666' } },
    { name: 'a document that is no JSON', records: [update('arn:aws:iam::444455556666:root')], alerts: [] },
    {
      name: 'refused, another call, or another service',
      records: [
        { ...foreign, errorCode: 'MalformedPolicyDocumentException' },
        { ...foreign, eventName: 'PutRolePolicy' },
        { ...foreign, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
