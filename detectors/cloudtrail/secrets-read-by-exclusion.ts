/** All secrets were asked for at once, by a filter that excludes nothing. */
import { defineDetector } from '../../src/detector.ts';

const batch = (values: string[]) => ({
  eventSource: 'secretsmanager.amazonaws.com',
  eventName: 'BatchGetSecretValue',
  requestParameters: { filters: [{ key: 'tag-key', values }] },
});
const everything = batch(['!does-not-exist']);

export const detector = defineDetector({
  id: 'secrets-read-by-exclusion',
  title: 'Secrets were read in a batch by what they are not',
  description:
    'BatchGetSecretValue wants names or filters. A filter that begins with an exclamation mark takes every secret but those that match: with a tag nobody uses, that is all of them, twenty in a call.',
  severity: 'high',
  severityReason: 'Collects the passwords of everything in a few calls; a program names what it needs.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1555.006', version: 16 }],
  tags: ['credential-access'],
  when: {
    all: [
      {
        event_source: 'secretsmanager.amazonaws.com',
        event_name: 'BatchGetSecretValue',
        outcome: 'success',
        'request_parameters.filters[].values[]': { startswith: '!' },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} read all secrets but {request_parameters.filters[].values[]} in {aws_region} from {source_address} ({count} calls)',
  falsePositives: ['A tool that copies all secrets but a few on purpose: suppress its role.'],
  blindSpots: ['A batch that names its secrets: secrets-read-in-bulk counts the reads.'],
  response: ['List the GetSecretValue events of the same second, and rotate what they name.'],
  examples: [
    {
      name: 'everything but a tag that nobody uses',
      records: [everything],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    { name: 'the secrets of one application', records: [batch(['payments'])], alerts: [] },
    {
      name: 'refused, only listed, another service, or by an AWS service',
      records: [
        { ...everything, errorCode: 'AccessDeniedException' },
        { ...everything, eventName: 'ListSecrets' },
        { ...everything, eventSource: 'example.amazonaws.com' },
        { ...everything, userIdentity: { type: 'AWSService', invokedBy: 'ecs-tasks.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
