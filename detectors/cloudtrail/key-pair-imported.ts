/** Somebody brings a key of their own. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'ImportKeyPair',
  requestParameters: { keyName: 'mine', publicKeyMaterial: 'c3NoLXJzYQ==' },
};

export const detector = defineDetector({
  id: 'key-pair-imported',
  title: 'An SSH key pair was imported',
  description:
    'Machines that are launched with the key answer to whoever holds its private half, which AWS never saw. A pair that AWS makes leaves a trace of who took it; an imported one does not.',
  severity: 'low',
  severityReason: 'A preparation that many tools make as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.001', version: 16 }],
  tags: ['persistence'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'ImportKeyPair', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} imported the key pair {request_parameters.keyName} in {aws_region} from {source_address}',

  falsePositives: ['Terraform and tools that build images with a key for each run.'],
  blindSpots: ['Keys that are laid down on a machine itself, and pushed ones: ssh-keys-pushed-to-many-instances.'],

  response: ['List instances that were launched with request_parameters.keyName (saved question instance-life).'],
  examples: [
    {
      name: 'a key is imported',
      records: [base],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDenied' },
        { ...base, eventName: 'CreateKeyPair' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
