/** The start-up script of an existing instance was replaced. */
import { defineDetector } from '../../src/detector.ts';

const change = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'ModifyInstanceAttribute',
  requestParameters: { instanceId: 'i-1234567890abcdef0', userData: '<sensitiveDataRemoved>' },
};

export const detector = defineDetector({
  id: 'instance-startup-script-replaced',
  title: 'The start-up script of an instance was replaced',
  description:
    'Stop, replace user data, start: the script runs as administrator of the machine, and whoever did it needs no key to the machine at all.',
  severity: 'high',
  severityReason: 'Takes over a machine and its role; user data of a living instance is hardly ever changed otherwise.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1059.009', version: 16 },
    { technique: 'T1578', version: 16 },
  ],
  tags: ['execution', 'privilege-escalation'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: 'ModifyInstanceAttribute',
        outcome: 'success',
        'request_parameters.userData': { exists: true },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} replaced the start-up script of {request_parameters.instanceId} in {aws_region} from {source_address}',
  falsePositives: ['Terraform that changes user data in place.'],
  blindSpots: ['The script itself, which AWS removes from the record.', 'Scripts of launch templates.'],
  response: [
    'Read the user data of the instance before it is started again; look for StopInstances and StartInstances around.',
  ],
  examples: [
    {
      name: 'the script is replaced',
      records: [change],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the protection against termination is taken off',
      records: [
        {
          ...change,
          requestParameters: { instanceId: 'i-1234567890abcdef0', disableApiTermination: { value: false } },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, given at launch, another service, or by an AWS service',
      records: [
        { ...change, errorCode: 'Client.IncorrectInstanceState' },
        { ...change, eventName: 'RunInstances' },
        { ...change, eventSource: 'example.amazonaws.com' },
        { ...change, userIdentity: { type: 'AWSService', invokedBy: 'opsworks.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
