/** A principal tries again and again to start something that costs money, and fails. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const CALLS = [
  'RunInstances',
  'CreateFleet',
  'RequestSpotInstances',
  'RequestSpotFleet',
  'RunTask',
  'CreateService',
  'CreateCluster',
  'CreateNodegroup',
  'CreateStack',
  'CreateFunction',
  'CreateDBInstance',
  'CreateDBCluster',
  'CreateNotebookInstance',
  'CreateTrainingJob',
  'CreateEndpoint',
  'SubmitJob',
];
const failure = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  errorCode: 'Server.InsufficientInstanceCapacity',
  requestParameters: { instanceType: 'p5.48xlarge', minCount: 1, maxCount: 8 },
};
const ALERT = { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'provisioning-failed',
  title: 'Something was to be started, and failed again and again',
  description:
    'Machines, containers, databases or stacks are asked for in vain, many times within a quarter of an hour: quotas, missing capacity, wrong parameters, missing rights. Thieves of computing power go through types and regions until one works; a broken rollout does the same, and somebody should know in both cases.',
  severity: 'low',
  severityReason: 'Nothing was started; it tells of a thief in a hurry or of a rollout that hangs.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.001', version: 16 }],
  tags: ['impact', 'operations', 'insights'],
  when: {
    all: [
      { event_name: CALLS, outcome: ['failed', 'denied'] },
      // A request that names the same token again, or only asks whether it might.
      { not: { error_code: ['Client.DryRunOperation', 'Client.IdempotentParameterMismatch'] } },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('failures'), within: '15m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} failed {count} times to start something, first {event_name} with {error_code} in {aws_region} from {source_address}',
  parameters: {
    failures: z
      .int()
      .min(2)
      .default(15)
      .describe('failures within 15 minutes; a person tries a few times, a scheduler pauses in between'),
  },
  falsePositives: ['A scheduler of clusters that finds no capacity: suppress its role.'],
  blindSpots: [
    'CreateFleet reports missing capacity inside of an answer that succeeds.',
    'What Auto Scaling tries by its own role.',
    'Attempts that are spread over principals or hours.',
  ],
  response: [
    'Read requestParameters for types and numbers, and aws_region: saved question principal-timeline.',
    'See whether any attempt succeeded: saved question recent-changes.',
  ],
  examples: [
    {
      name: 'fifteen machines that there are not, or that are not allowed',
      records: [
        { repeat: 8, every: '40s', record: failure },
        { repeat: 7, every: '40s', record: { ...failure, errorCode: 'Client.UnauthorizedOperation' } },
      ],
      alerts: [{ ...ALERT, count: 15 }],
    },
    {
      name: 'each kind of call',
      records: [{ repeat: CALLS.length, every: '40s', record: (index) => ({ ...failure, eventName: CALLS[index] }) }],
      alerts: [{ ...ALERT, count: CALLS.length }],
    },
    { name: 'fourteen', records: [{ repeat: 14, every: '40s', record: failure }], alerts: [] },
    { name: 'fifteen in an hour', records: [{ repeat: 15, every: '4m', record: failure }], alerts: [] },
    {
      name: 'they succeed, only ask whether they might, repeat themselves, or something is stopped',
      records: [
        { repeat: 15, every: '1s', record: { ...failure, errorCode: undefined } },
        { repeat: 15, every: '1s', record: { ...failure, errorCode: 'Client.DryRunOperation' } },
        { repeat: 15, every: '1s', record: { ...failure, errorCode: 'Client.IdempotentParameterMismatch' } },
        { repeat: 15, every: '1s', record: { ...failure, eventName: 'TerminateInstances' } },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service',
      records: [
        {
          repeat: 15,
          every: '1s',
          record: { ...failure, userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
  ],
});
