/** All parameters of a path are read with their secrets. */
import { defineDetector } from '../../src/detector.ts';

const ask = (change: object) => ({
  eventSource: 'ssm.amazonaws.com',
  eventName: 'GetParametersByPath',
  readOnly: true,
  requestParameters: { path: '/', recursive: true, withDecryption: true, ...change },
});
const base = ask({});

export const detector = defineDetector({
  id: 'parameters-read-by-path',
  title: 'The parameters of the whole account were read and decrypted',
  description:
    'GetParametersByPath from the root, with all levels below it and decrypted, hands out every secret of Parameter Store in a few calls. Programs ask for their own path.',
  severity: 'high',
  severityReason: 'Every parameter at once is what a thief asks for, and hardly any program.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1555.006', version: 16 }],
  tags: ['credential-access', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'ssm.amazonaws.com',
        event_name: 'GetParametersByPath',
        outcome: 'success',
        'request_parameters.path': '/',
        'request_parameters.recursive': true,
        'request_parameters.withDecryption': true,
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} read all parameters of {aws_region} and decrypted them, from {source_address} ({count} calls)',

  falsePositives: ['A backup of Parameter Store, an audit: suppress its role.'],
  blindSpots: ['Single parameters: parameters-read-in-bulk. One path after the other.'],

  response: ['Change the secrets; run the saved question secret-reads for the principal.'],
  examples: [
    {
      name: 'read from the root',
      records: [base],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'a path, one level, or not decrypted',
      records: [ask({ path: '/shop' }), ask({ recursive: false }), ask({ withDecryption: false })],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDeniedException' },
        { ...base, eventName: 'DescribeParameters' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
