/** An object was written whose name is that of a ransom note. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const put = (key: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', key },
});

export const detector = defineDetector({
  id: 'ransom-note-uploaded',
  title: 'An object named like a ransom note was written',
  description:
    'Extortionists leave a text beside the data they took or encrypted, and want it found: its name says so.',
  severity: 'high',
  severityReason: 'By then the data is gone; a name alike by chance is rare.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1486', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: 'PutObject',
        outcome: 'success',
        'request_parameters.key': { re: parameter('names') },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} wrote {request_parameters.key} to {request_parameters.bucketName} from {source_address}',
  parameters: {
    names: z
      .string()
      .default(
        '(?i)(ransom|how[-_ ]?to[-_ ]?(decrypt|recover|restore|get[-_ ]?back)|(decrypt|recover|restore)[-_ ]?(your[-_ ]?)?(files|data|instructions?)|(files|data)[-_ ]?(are[-_ ]?)?encrypted|read[-_ ]?me[-_ ]?(to|for)[-_ ]?(decrypt|recover|restore))[^/]*$',
      )
      .describe('RE2 pattern, found in the last part of the key'),
  },
  falsePositives: ['A handbook on recovery.'],
  blindSpots: ['Notes with other names, or sent by mail.'],
  needsDataEvents: 'AWS::S3::Object',
  response: ['Read the note, find the first overwritten object, restore from versions or backups.'],
  examples: [
    {
      name: 'a note is left',
      records: [put('finance/HOW_TO_DECRYPT_FILES.txt')],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'a report, also in a folder with such a name',
      records: [put('reports/2025.pdf'), put('ransom/2025.pdf')],
      alerts: [],
    },
    {
      name: 'refused, read, another service, or by an AWS service',
      records: [
        { ...put('RANSOM.txt'), errorCode: 'AccessDenied' },
        { ...put('RANSOM.txt'), eventName: 'GetObject' },
        { ...put('RANSOM.txt'), eventSource: 'example.amazonaws.com' },
        { ...put('RANSOM.txt'), userIdentity: { type: 'AWSService', invokedBy: 'datasync.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'the operator knows another name',
      records: [put('contact-us.html')],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
      parameters: { names: 'contact-us' },
    },
  ],
});
