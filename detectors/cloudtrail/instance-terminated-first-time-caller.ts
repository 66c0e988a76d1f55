/** Somebody terminates EC2 instances who has not done so before. */
import { defineDetector } from '../../src/detector.ts';

const termination = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'TerminateInstances',
  requestParameters: { instancesSet: { items: [{ instanceId: 'i-1234567890abcdef0' }] } },
};
const byAlice = {
  ...termination,
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    userName: 'Alice',
  },
};
const byMateo = {
  ...termination,
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDAI44QH8DHBEXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Mateo_Jackson',
    accountId: '111122223333',
    userName: 'Mateo_Jackson',
  },
};
/** Ten days in which Alice terminates an instance each morning. */
const usual = { repeat: 10, every: '1d', record: { ...byAlice, eventTime: '2025-03-01T08:00:00Z' } } as const;

export const detector = defineDetector({
  id: 'instance-terminated-first-time-caller',
  title: 'Somebody terminated EC2 instances for the first time',
  description:
    'In most accounts the same few people and pipelines terminate instances. A principal that has not done so in that account during the last 30 days is worth a look, even if it ends a single one.',
  severity: 'medium',
  severityReason: 'Irreversible, and out of character for the caller; but every colleague has a first time.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact', 'baseline'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'TerminateInstances', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} terminated instances for the first time in 30 days, from {source_address} in {aws_region}',
  falsePositives: ['A new colleague, a new pipeline, a role that cleans up once a quarter.'],
  blindSpots: [
    'Silent until the account has the history that a first time needs.',
    'Somebody who uses the credentials of a principal that terminates instances every day.',
  ],
  response: [
    'Ask the person behind session_name or user_name whether it was they.',
    'List all calls of the same access_key_id in the hour before.',
  ],
  examples: [
    {
      name: 'a newcomer terminates an instance after ten days of another',
      records: [usual, { ...byMateo, eventTime: '2025-03-11T09:00:00Z' }],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 1,
        },
      ],
    },
    { name: 'the usual person does what is usual', records: [usual], alerts: [] },
    {
      name: 'there is no history yet',
      records: [{ ...byMateo, eventTime: '2025-03-11T09:00:00Z' }],
      alerts: [],
    },
    {
      name: 'the newcomer is refused, only stops it, or calls another service',
      records: [
        usual,
        { ...byMateo, eventTime: '2025-03-11T09:00:00Z', errorCode: 'Client.UnauthorizedOperation' },
        { ...byMateo, eventTime: '2025-03-11T09:01:00Z', eventName: 'StopInstances' },
        { ...byMateo, eventTime: '2025-03-11T09:02:00Z', eventSource: 'gamelift.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'Auto Scaling ends its first instance',
      records: [
        usual,
        {
          ...termination,
          eventTime: '2025-03-11T09:00:00Z',
          userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' },
        },
      ],
      alerts: [],
    },
  ],
});
