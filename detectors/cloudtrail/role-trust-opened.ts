/** A role may now be assumed by anybody in any AWS account. */
import { defineDetector } from '../../src/detector.ts';

const trust = (principal: unknown) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
  });
const update = (principal: unknown) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'UpdateAssumeRolePolicy',
  requestParameters: { roleName: 'Builder', policyDocument: trust(principal) },
});
const create = (principal: unknown) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateRole',
  requestParameters: { roleName: 'Builder', assumeRolePolicyDocument: trust(principal) },
});

// A policy document is JSON inside a string, in some records URL-encoded.
const QUOTE = '(?:"|%22)';
const SPACE = '(?:\\s|%20|%0A|%0D|%09|\\+)*';
const IS = `${SPACE}(?::|%3A)${SPACE}`;
const STAR = `${QUOTE}(?:\\*|%2A)${QUOTE}`;
const LIST = '(?:\\[|%5B)[^\\]]*';
const IN_AWS = `(?:\\{|%7B)[^}]*${QUOTE}AWS${QUOTE}${IS}(?:${LIST})?`;
/** "Principal": "*", {"AWS": "*"} or {"AWS": [..., "*"]}. */
const ANYBODY = `${QUOTE}Principal${QUOTE}${IS}(?:${IN_AWS})?${STAR}`;

export const detector = defineDetector({
  id: 'role-trust-opened',
  title: 'A role was opened to everybody',
  description:
    'The trust policy of a role names the principal *: any identity of any AWS account may assume it, unless a condition stands in the way. A favourite back door, because the role itself looks the same.',
  severity: 'high',
  severityReason: 'A door that stays open after every key was changed.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1098.003', version: 16 },
    { technique: 'T1098.001', version: 16 },
  ],
  tags: ['persistence'],
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'UpdateAssumeRolePolicy', 'request_parameters.policyDocument': { re: ANYBODY } },
          { event_name: 'CreateRole', 'request_parameters.assumeRolePolicyDocument': { re: ANYBODY } },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} opened role {request_parameters.roleName} to everybody from {source_address}',
  falsePositives: [
    'A condition such as aws:PrincipalOrgID may narrow it to your organization: conditions are not judged.',
  ],
  blindSpots: ['A single foreign account: role-trust-given-to-account.', 'Trust in a SAML or OIDC provider.'],
  response: [
    'Read the document, restore the trust, list AssumeRole events of this role by user_account_id.',
    'Run the saved question role-assumptions for request_parameters.roleName.',
  ],
  examples: [
    {
      name: 'the trust is given to everybody',
      records: [update('*')],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a role is created with everybody among others',
      records: [create({ AWS: ['arn:aws:iam::111122223333:root', '*'] })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the trust stays in the house',
      records: [update({ Service: 'ec2.amazonaws.com' }), create({ AWS: 'arn:aws:iam::111122223333:root' })],
      alerts: [],
    },
    {
      name: 'refused, other calls, another service, or by an AWS service',
      records: [
        { ...update('*'), errorCode: 'AccessDenied' },
        { ...update('*'), eventName: 'PutRolePolicy' },
        { ...create('*'), eventName: 'TagRole' },
        { ...update('*'), eventSource: 'example.amazonaws.com' },
        { ...update('*'), userIdentity: { type: 'AWSService', invokedBy: 'sso.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
