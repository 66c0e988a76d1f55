/** The credentials of a machine or a function give out rights for the first time. */
import { defineDetector } from '../../src/detector.ts';

/** Calls that make identities or credentials, or give rights. */
const GRANTS = [
  'CreateUser',
  'CreateAccessKey',
  'CreateLoginProfile',
  'UpdateLoginProfile',
  'AddUserToGroup',
  'AttachUserPolicy',
  'AttachRolePolicy',
  'AttachGroupPolicy',
  'PutUserPolicy',
  'PutRolePolicy',
  'PutGroupPolicy',
  'CreatePolicyVersion',
  'SetDefaultPolicyVersion',
  'UpdateAssumeRolePolicy',
];
const identity = (session: string, more: object = {}) => ({
  type: 'AssumedRole',
  principalId: `AROAIDPPEZS35WEXAMPLE:${session}`,
  arn: `arn:aws:sts::111122223333:assumed-role/WebServer/${session}`,
  accountId: '111122223333',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sessionContext: {
    sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/WebServer', accountId: '111122223333' },
  },
  ...more,
});
const onInstance = identity('i-1234567890abcdef0');
const inFunction = identity('thumbnails', {
  inScopeOf: {
    issuerType: 'AWS::Lambda::Function',
    credentialsIssuedTo: 'arn:aws:lambda:us-east-1:111122223333:function:thumbnails',
  },
});
/** Ten days of somebody else's ordinary work: the account has a history. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', eventTime: '2025-03-01T08:00:00Z' },
} as const;
const grant = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'AttachRolePolicy',
  eventTime: '2025-03-11T09:00:00Z',
  userIdentity: onInstance,
  requestParameters: { roleName: 'WebServer', policyArn: 'arn:aws:iam::111122223333:policy/Wide' },
};
const ALERT = { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:role/WebServer' } };

export const detector = defineDetector({
  id: 'iam-change-by-machine',
  title: 'A machine gave out rights for the first time',
  description:
    'The role of an EC2 instance or a Lambda function made users, keys or rights, and had done no such thing during the last 30 days. What runs on a machine can be taken over through a web page, and its role is then used to climb. Build servers do this every day, and are known for it after the first time.',
  severity: 'medium',
  severityReason: 'Machines seldom manage identities, and one that begins to has been changed or taken over.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1078.004', version: 16 },
    { technique: 'T1098.003', version: 16 },
  ],
  tags: ['privilege-escalation', 'baseline'],
  // inScopeOf: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', event_name: GRANTS, outcome: ['success', 'denied'] },
      {
        any: [
          { session_name: { re: '^i-[0-9a-f]{8}([0-9a-f]{9})?$' } },
          { 'in_scope_of.issuerType': 'AWS::Lambda::Function' },
          { user_agent: { contains: 'exec-env/AWS_Lambda' } },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} ({session_name}) called {event_name} ({outcome}) on IAM for the first time in 30 days, from {source_address} ({count} calls in the hour)',
  falsePositives: ['A new build server, a new function that sets up accounts.'],
  blindSpots: [
    'Silent until the account has history.',
    'Containers, whose sessions carry no such mark.',
    'A machine that gives out rights every day.',
  ],
  response: [
    'Stop the session: deny by aws:TokenIssueTime on the role; then look at what the machine runs.',
    'Run the saved question instance-life for session_name, or access-key-activity for access_key_id.',
  ],
  examples: [
    {
      name: 'each kind of grant from an instance, some refused',
      records: [
        usual,
        { repeat: GRANTS.length, every: '10s', record: (index) => ({ ...grant, eventName: GRANTS[index] }) },
        { ...grant, eventTime: '2025-03-11T09:30:00Z', errorCode: 'AccessDenied' },
      ],
      alerts: [{ ...ALERT, count: GRANTS.length + 1 }],
    },
    {
      name: 'from a function, by what the record says or by its user agent',
      records: [
        usual,
        { ...grant, userIdentity: inFunction },
        {
          ...grant,
          eventTime: '2025-03-11T09:30:00Z',
          userIdentity: identity('thumbnails'),
          userAgent: 'Boto3/1.34.0 Python/3.12 exec-env/AWS_Lambda_python3.12',
        },
      ],
      alerts: [{ ...ALERT, count: 2 }],
    },
    {
      name: 'an instance with an id of the old length',
      records: [usual, { ...grant, userIdentity: identity('i-1234abcd') }],
      alerts: [ALERT],
    },
    {
      name: 'a build server that does so each day',
      records: [
        { repeat: 10, every: '1d', record: { ...grant, eventTime: '2025-03-01T09:00:00Z' } },
        { ...grant, eventTime: '2025-03-11T09:00:00Z' },
      ],
      alerts: [],
    },
    { name: 'there is no history yet', records: [grant], alerts: [] },
    {
      name: 'a person, a failure, only reading, another service, or a role of AWS',
      records: [
        usual,
        { ...grant, userIdentity: identity('Alice') },
        { ...grant, errorCode: 'NoSuchEntityException' },
        { ...grant, eventName: 'ListRoles' },
        { ...grant, eventSource: 'example.amazonaws.com' },
        {
          ...grant,
          userIdentity: identity('i-1234567890abcdef0', {
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM',
              },
            },
          }),
        },
      ],
      alerts: [],
    },
  ],
});
