/** One principal pushes an SSH key to several instances. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const push = (index: number) => ({
  eventSource: 'ec2-instance-connect.amazonaws.com',
  eventName: 'SendSSHPublicKey',
  requestParameters: { instanceId: `i-1234567890abcde${index}`, instanceOSUser: 'ec2-user' },
  responseElements: { success: true },
});

export const detector = defineDetector({
  id: 'ssh-keys-pushed-to-many-instances',
  title: 'An SSH key was pushed to several instances',
  description:
    'EC2 Instance Connect lets a caller log in to a machine for a minute with a key of their own. One machine after the other is how somebody spreads.',
  severity: 'medium',
  severityReason: 'Access to several machines at once; an operator on a bad day does it too.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1021.004', version: 16 }],
  tags: ['lateral-movement'],
  when: { event_source: 'ec2-instance-connect.amazonaws.com', event_name: 'SendSSHPublicKey', outcome: 'success' },
  threshold: { atLeast: parameter('instances'), distinct: 'request_parameters.instanceId', within: '30m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} pushed an SSH key to {peak} instances in {aws_region} from {source_address}',
  parameters: { instances: z.int().min(2).default(3).describe('distinct instances; a person logs in to one or two') },
  falsePositives: ['An operator, or a configuration tool that works over SSH.'],
  blindSpots: ['Keys that were laid down on the machine before.', 'Whether the network let the connection through.'],
  response: ['Look at the machines: who logged in, what ran.'],
  examples: [
    {
      name: 'three machines in four minutes',
      records: [{ repeat: 3, every: '2m', record: push }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 }],
    },
    { name: 'two machines', records: [{ repeat: 2, every: '2m', record: push }], alerts: [] },
    { name: 'one machine, many times', records: [{ repeat: 9, every: '2m', record: push(0) }], alerts: [] },
    { name: 'three machines over a day', records: [{ repeat: 3, every: '7h', record: push }], alerts: [] },
    {
      name: 'refused, another call, or another service',
      records: [
        { repeat: 3, every: '1m', record: (index) => ({ ...push(index), errorCode: 'AccessDeniedException' }) },
        { repeat: 3, every: '1m', record: (index) => ({ ...push(index), eventName: 'OpenTunnel' }) },
        { repeat: 3, every: '1m', record: (index) => ({ ...push(index), eventSource: 'example.amazonaws.com' }) },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [{ repeat: 3, every: '855s', record: push }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
  ],
});
