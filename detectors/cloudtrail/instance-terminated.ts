/** An EC2 instance was terminated: who, from where, and which one. */
import { defineDetector } from '../../src/detector.ts';

const termination = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'TerminateInstances',
  requestParameters: { instancesSet: { items: [{ instanceId: 'i-1234567890abcdef0' }] } },
};

export const detector = defineDetector({
  id: 'instance-terminated',
  title: 'An EC2 instance was terminated',
  description:
    'A terminated instance cannot be brought back, and its instance store and most root volumes go with it. Each successful call of a person or a role is listed; what Auto Scaling and other AWS services terminate ' +
    'under their own identity is not.',
  severity: 'low',
  severityReason:
    'Ordinary work where servers come and go; the entry is a record to look things up in, not a call to act.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1485', version: 16 },
    { technique: 'T1578.003', version: 16 },
  ],
  tags: ['impact'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'TerminateInstances', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} terminated {request_parameters.instancesSet.items[].instanceId} in {aws_region} from {source_address}',
  falsePositives: ['Every deployment that replaces instances: suppress its role by principal.'],
  blindSpots: [
    'Instances that a service ends under its own identity (Auto Scaling, Spot interruption), also when somebody told it to, for example by setting the desired capacity to 0.',
  ],
  response: [
    'The instance ids stand in request_parameters.instancesSet; who launched them is in the RunInstances event that answers with the same id.',
  ],
  examples: [
    {
      name: 'a person terminates an instance',
      records: [termination],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'two calls are two alerts',
      records: [termination, termination],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'somebody lets CloudFormation do it',
      records: [{ ...termination, sourceIPAddress: 'cloudformation.amazonaws.com' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the call is refused',
      records: [{ ...termination, errorCode: 'Client.UnauthorizedOperation' }],
      alerts: [],
    },
    { name: 'the instance is only stopped', records: [{ ...termination, eventName: 'StopInstances' }], alerts: [] },
    {
      name: 'a call of that name at another service',
      records: [{ ...termination, eventSource: 'gamelift.amazonaws.com' }],
      alerts: [],
    },
    {
      name: 'Auto Scaling replaces an instance',
      records: [{ ...termination, userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } }],
      alerts: [],
    },
  ],
});
