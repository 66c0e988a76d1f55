/** One principal asks for the administrator passwords of several Windows instances. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read = (index: number) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'GetPasswordData',
  requestParameters: { instanceId: `i-1234567890abcde${index}` },
});

export const detector = defineDetector({
  id: 'windows-passwords-retrieved',
  title: 'Administrator passwords of several Windows instances were asked for',
  description:
    'GetPasswordData hands out the encrypted first password of a Windows instance. Counts distinct instances per principal; refused attempts count, because they show the same intent.',
  severity: 'high',
  severityReason: 'A known way to move on to the machines; an administrator needs one password, not a series.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1552', version: 16 }],
  tags: ['credential-access'],
  when: {
    all: [{ event_source: 'ec2.amazonaws.com', event_name: 'GetPasswordData' }, { not: { actor_type: 'service' } }],
  },
  threshold: { atLeast: parameter('instances'), distinct: 'request_parameters.instanceId', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} asked for the passwords of {peak} instances in {aws_region} from {source_address} (first answer: {outcome})',
  parameters: {
    instances: z
      .int()
      .min(1)
      .default(5)
      .describe('distinct instances; setting up a handful of servers by hand stays below'),
  },
  falsePositives: ['Terraform with get_password_data, or a farm of Windows servers being set up.'],
  blindSpots: [
    'The password still has to be decrypted with the key pair: whether the caller has it is not in the log.',
  ],
  response: ['Change the passwords of instances whose answer was a success.'],
  examples: [
    {
      name: 'five instances, all refused',
      records: [
        { repeat: 5, every: '2s', record: (index) => ({ ...read(index), errorCode: 'Client.UnauthorizedOperation' }) },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    { name: 'one instance fewer', records: [{ repeat: 4, every: '2s', record: read }], alerts: [] },
    {
      name: 'one instance that is not ready yet',
      records: [{ repeat: 30, every: '10s', record: read(0) }],
      alerts: [],
    },
    { name: 'as many over a day', records: [{ repeat: 5, every: '3h', record: read }], alerts: [] },
    {
      name: 'another call, or another service',
      records: [
        { repeat: 5, every: '2s', record: (index) => ({ ...read(index), eventName: 'GetConsoleOutput' }) },
        { repeat: 5, every: '2s', record: (index) => ({ ...read(index), eventSource: 'lightsail.amazonaws.com' }) },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service',
      records: [
        {
          repeat: 5,
          every: '2s',
          record: (index) => ({ ...read(index), userIdentity: { type: 'AWSService', invokedBy: 'ssm.amazonaws.com' } }),
        },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [
        {
          repeat: 5,
          every: '142s',
          record: (index) => ({ ...read(index), errorCode: 'Client.UnauthorizedOperation' }),
        },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
  ],
});
