/** Somebody collects files with credentials from buckets. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

/** Each kind of name that the pattern knows. */
const NAMES = [
  'home/.aws/credentials',
  'credentials.csv',
  'id_rsa',
  'a/id_dsa',
  'id_ecdsa',
  'id_ed25519',
  '.env',
  'app/.env.prod',
  '.git-credentials',
  '.npmrc',
  '.netrc',
  '.pgpass',
  '.htpasswd',
  'prod.tfstate',
  'a.pem',
  'a.ppk',
  'a.pfx',
  'a.p12',
  'a.kdbx',
  'a.jks',
  'Alice_accessKeys.csv',
  'rootkey.csv',
];
const get = (key: string, bucketName = 'amzn-s3-demo-bucket') => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  readOnly: true,
  requestParameters: { bucketName, key },
});
const read = get('home/.aws/credentials');

export const detector = defineDetector({
  id: 'credential-files-read-in-bulk',
  title: 'Many files that hold credentials were read',
  description:
    'Counts distinct objects that one principal fetched whose names say that keys or passwords are in them. Searching buckets for such names is what tools for looting do.',
  severity: 'high',
  severityReason: 'Nobody needs the passwords of so many programs within minutes.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1552.001', version: 16 }],
  tags: ['credential-access', 'data-protection'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: 'GetObject',
        outcome: 'success',
        'request_parameters.key': { re: parameter('names') },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('objects'), distinct: 'request_parameters.key', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} read {peak} files with credentials, first {request_parameters.key} of {request_parameters.bucketName}, from {source_address}',
  parameters: {
    names: z
      .string()
      .default(
        '(?i)(^|/)([.]aws/credentials|credentials[.]csv|id_(rsa|dsa|ecdsa|ed25519)|[.]env([.][a-z]+)?|[.]git-credentials|[.]npmrc|[.]netrc|[.]pgpass|[.]htpasswd|[^/]*[.](tfstate|pem|ppk|pfx|p12|kdbx|jks)|[^/]*(accesskeys|rootkey)[.]csv)$',
      )
      .describe('RE2 pattern of keys of objects that usually hold credentials'),
    objects: z.int().min(2).default(5).describe('distinct objects; a deployment reads the settings of a few services'),
  },
  falsePositives: ['A backup, or Terraform that plans many states at once: suppress its role.'],
  blindSpots: ['Slow reading.', 'Credentials under harmless names.'],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Change what stands in the files; run the saved question principal-timeline for the principal to list request_parameters.key.',
  ],
  examples: [
    {
      name: 'each kind of name',
      records: NAMES.map((key) => get(key)),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 22 },
      ],
    },
    {
      name: 'five of them',
      records: NAMES.slice(0, 5).map((key) => get(key)),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    {
      name: 'one less, or the same again and again',
      records: [...NAMES.slice(0, 4).map((key) => get(key)), read, read],
      alerts: [],
    },
    {
      name: 'spread over an hour',
      records: [{ repeat: 5, every: '3m', record: (index: number) => get(NAMES[index] ?? '') }],
      alerts: [],
    },
    {
      name: 'names that only look like it',
      records: ['environment.ts', 'a.pem.txt', 'credentials-howto.md', 'shop/.envoy', 'my_id_rsa', 'key.txt'].map(
        (key) => get(key),
      ),
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { errorCode: 'AccessDenied' },
        { eventName: 'HeadObject' },
        { eventSource: 'example.amazonaws.com' },
        { userIdentity: { type: 'AWSService', invokedBy: 'ecs.amazonaws.com' } },
      ].flatMap((change) => NAMES.slice(0, 6).map((key) => ({ ...get(key), ...change }))),
      alerts: [],
    },
  ],
});
