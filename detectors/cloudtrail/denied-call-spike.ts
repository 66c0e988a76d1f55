/** Somebody is refused again and again: stolen credentials being tried out, or a role that lost a permission. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const refused = {
  eventSource: 's3.amazonaws.com',
  eventName: 'GetBucketPolicy',
  errorCode: 'AccessDenied',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket' },
};

export const detector = defineDetector({
  id: 'denied-call-spike',
  title: 'Many calls of one principal were refused',
  description:
    'Whoever holds stolen credentials does not know what they may do and finds out by trying. Counts refusals of one person or role in a sliding window, whatever the error code is called ' +
    '(AccessDenied, Client.UnauthorizedOperation, VpceAccessDenied and their like).',
  severity: 'medium',
  severityReason: 'Nothing was obtained by the refused calls themselves; they show that somebody is probing.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1580', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['discovery'],
  when: { all: [{ outcome: 'denied' }, { not: { actor_type: 'service' } }] },
  threshold: { atLeast: parameter('refusals'), within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} was refused {count} times from {source_ip}, first for {event_name} in {aws_region}',
  parameters: {
    refusals: z
      .int()
      .min(1)
      .default(20)
      .describe('calls; twenty refusals in ten minutes is more than a person meets by clicking on the wrong page'),
  },
  falsePositives: [
    'A deployment or a scheduled job whose role has just lost a permission: it retries until somebody looks.',
    'A security scanner that reads everything it is not allowed to.',
  ],
  blindSpots: [
    'Slow probing below the threshold.',
    'Refusals of S3 object calls, unless data events are logged.',
    'Calls that AWS refuses before CloudTrail sees them, such as a wrong signature.',
  ],
  response: [
    'List event_name and error_message of the refused calls, then look at the successful calls of the same access_key_id after them.',
    'Compare source_address and user_agent with those of the week before.',
    'Run the saved question why-denied, and principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'a stolen role tries twenty things in three minutes',
      records: [{ repeat: 20, every: '9s', record: refused }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20, peak: 20 }],
    },
    {
      name: 'the burst crosses the border between two hours',
      records: [{ repeat: 20, every: '20s', record: { ...refused, eventTime: '2025-03-03T09:57:00Z' } }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20 }],
    },
    {
      name: 'the operator asks for a lower threshold',
      records: [{ repeat: 5, every: '30s', record: refused }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
      parameters: { refusals: 5 },
    },
    { name: 'one refusal fewer', records: [{ repeat: 19, every: '9s', record: refused }], alerts: [] },
    { name: 'as many refusals over an hour', records: [{ repeat: 20, every: '3m', record: refused }], alerts: [] },
    {
      name: 'as many calls that fail for another reason',
      records: [{ repeat: 20, every: '9s', record: { ...refused, errorCode: 'NoSuchBucket' } }],
      alerts: [],
    },
    {
      name: 'an AWS service that lost access to a bucket',
      records: [
        {
          repeat: 20,
          every: '9s',
          record: { ...refused, userIdentity: { type: 'AWSService', invokedBy: 'delivery.logs.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
  ],
});
