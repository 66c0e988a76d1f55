/** A principal runs into limits of AWS: too many resources, too many calls. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const limited = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  errorCode: 'Client.InstanceLimitExceeded',
};

export const detector = defineDetector({
  id: 'service-limit-hit',
  title: 'A principal ran into limits again and again',
  description:
    'Quotas and throttling, that of KMS keys among them, stop a runaway program, and they stop somebody who wants as many machines as possible. Counts errors of that kind per principal and call in a sliding window.',
  severity: 'low',
  severityReason: 'Mostly a program without pause; for RunInstances and its like a sign of theft.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496', version: 16 }],
  tags: ['operations'],
  when: {
    all: [
      { error_code: { re: '(?i)limitexceeded|throttl|toomanyrequests|quota|slowdown' } },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('errors'), within: '15m' },
  slot: '1h',
  subject: ['account_id', 'principal', 'event_name'],
  summary: '{principal} hit {error_code} {count} times with {event_name} in {aws_region}',
  parameters: {
    errors: z.int().min(1).default(50).describe('errors; a program that pauses and tries again stays below'),
  },
  falsePositives: ['Inventory tools and deployments that retry fast.'],
  blindSpots: ['Throttled data events, unless they are logged.'],
  response: [
    'Is it a call that makes something that costs money? Then look at the principal first.',
    'Run the saved question errors-by-service.',
  ],
  examples: [
    {
      name: 'fifty instances too many, in quotas and in calls',
      records: [
        { repeat: 25, every: '5s', record: limited },
        { repeat: 25, every: '5s', record: { ...limited, errorCode: 'Client.RequestLimitExceeded' } },
      ],
      alerts: [{ subject: { event_name: 'RunInstances' }, count: 50 }],
    },
    {
      name: 'keys of KMS that are asked for too fast, and every other word for it',
      records: [
        {
          repeat: 50,
          every: '5s',
          record: (index) => ({
            ...limited,
            eventSource: 'kms.amazonaws.com',
            eventName: 'GenerateDataKey',
            errorCode: [
              'ThrottlingException',
              'TooManyRequestsException',
              'ServiceQuotaExceededException',
              'SlowDown',
              'Client.RequestLimitExceeded',
            ][index % 5],
          }),
        },
      ],
      alerts: [{ subject: { event_name: 'GenerateDataKey' }, count: 50 }],
    },
    { name: 'one fewer', records: [{ repeat: 49, every: '5s', record: limited }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 50, every: '20m', record: limited }], alerts: [] },
    {
      name: 'other errors',
      records: [{ repeat: 50, every: '5s', record: { ...limited, errorCode: 'Client.InvalidParameterValue' } }],
      alerts: [],
    },
    {
      name: 'an AWS service',
      records: [
        {
          repeat: 50,
          every: '5s',
          record: { ...limited, userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
  ],
});
