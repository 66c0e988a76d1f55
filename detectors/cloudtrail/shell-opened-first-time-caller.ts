/** Somebody logs in to machines or containers who never did. */
import { defineDetector } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
const base = {
  eventSource: 'ec2-instance-connect.amazonaws.com',
  eventName: 'SendSSHPublicKey',
  requestParameters: { instanceId: 'i-1234567890abcdef0', instanceOSUser: 'ec2-user' },
};
const newcomer = { ...base, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice does so each morning. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { ...base, userIdentity: by('Alice'), eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'shell-opened-first-time-caller',
  title: 'Somebody opened a shell on a machine or in a container for the first time',
  description:
    'SendSSHPublicKey of EC2 Instance Connect and ExecuteCommand of ECS give the caller a shell, with the rights of the machine or task. The principal had done neither in that account during the last 30 days.',
  severity: 'medium',
  severityReason: 'Full control of a machine or container, out of character; every colleague has a first time.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1021.004', version: 16 },
    { technique: 'T1651', version: 16 },
  ],
  tags: ['lateral-movement', 'edge', 'baseline'],
  when: {
    all: [
      {
        any: [
          { event_source: 'ec2-instance-connect.amazonaws.com', event_name: ['SendSSHPublicKey', 'OpenTunnel'] },
          { event_source: 'ecs.amazonaws.com', event_name: 'ExecuteCommand' },
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.instanceId}{request_parameters.task} in {aws_region} from {source_address}, for the first time in 30 days',

  falsePositives: ['A new colleague or a new tool.'],
  blindSpots: [
    'Silent until the account has three days of history.',
    'Sessions of Systems Manager: ssm-command-first-time-caller.',
  ],

  response: [
    'Ask the person behind session_name; read the log of the session or of the machine.',
    'Run the saved question principal-timeline for the role of the machine or task.',
  ],
  examples: [
    {
      name: 'a newcomer after ten days of another',
      records: [
        usual,
        newcomer,
        { ...newcomer, eventName: 'OpenTunnel' },
        { ...newcomer, eventSource: 'ecs.amazonaws.com', eventName: 'ExecuteCommand' },
      ],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 3,
        },
      ],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    { name: 'the same person as ever', records: [usual, { ...newcomer, userIdentity: by('Alice') }], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AccessDeniedException' },
        { ...newcomer, eventName: 'SendHeartbeat' },
        { ...newcomer, eventSource: 'example.amazonaws.com' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'other calls of the same services',
      records: [
        usual,
        { ...newcomer, eventSource: 'ecs.amazonaws.com', eventName: 'DescribeTasks' },
        { ...newcomer, eventSource: 'example.amazonaws.com', eventName: 'ExecuteCommand' },
      ],
      alerts: [],
    },
  ],
});
