/** Somebody reads a file with credentials from a bucket in which they never did. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
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
const newcomer = { ...read, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice reads such a file each morning. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { ...read, userIdentity: by('Alice'), eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'credential-file-read-first-time',
  title: 'A file that holds credentials was read from a bucket for the first time',
  description:
    'Keys, passwords and the state of Terraform lie about in buckets. The principal fetched an object whose name says so, from a bucket in which it had read no such object during the last 30 days.',
  severity: 'medium',
  severityReason: 'Passwords leave the bucket with somebody new; a new pipeline reads its settings in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1552.001', version: 16 }],
  tags: ['credential-access', 'data-protection', 'baseline'],
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
  baseline: { firstSeen: ['principal', 'request_parameters.bucketName'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal', 'request_parameters.bucketName'],
  summary:
    '{principal} read {request_parameters.key} of {request_parameters.bucketName} from {source_address}, for the first time in 30 days',
  parameters: {
    names: z
      .string()
      .default(
        '(?i)(^|/)([.]aws/credentials|credentials[.]csv|id_(rsa|dsa|ecdsa|ed25519)|[.]env([.][a-z]+)?|[.]git-credentials|[.]npmrc|[.]netrc|[.]pgpass|[.]htpasswd|[^/]*[.](tfstate|pem|ppk|pfx|p12|kdbx|jks)|[^/]*(accesskeys|rootkey)[.]csv)$',
      )
      .describe('RE2 pattern of keys of objects that usually hold credentials'),
  },
  falsePositives: ['A new pipeline or a new colleague.'],
  blindSpots: [
    'Silent until the account has three days of history: credential-files-read-in-bulk speaks at once.',
    'Credentials under harmless names.',
  ],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Change what stands in the file; request_parameters.key says which.',
    'Run the saved question object-requests or principal-timeline to see who else read it.',
  ],
  examples: [
    {
      name: 'a newcomer after ten days of another',
      records: [usual, newcomer],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 1,
        },
      ],
    },
    {
      name: 'each kind of name',
      records: [
        usual,
        ...NAMES.map((key) => ({ ...get(key), userIdentity: by('Mateo_Jackson'), eventTime: '2025-03-11T09:00:00Z' })),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' }, count: 22 }],
    },
    {
      name: 'the same person in another bucket',
      records: [
        usual,
        { ...get('a.pem', 'amzn-s3-demo-bucket2'), userIdentity: by('Alice'), eventTime: '2025-03-11T09:00:00Z' },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'names that only look like it',
      records: [
        usual,
        ...['environment.ts', 'a.pem.txt', 'credentials-howto.md', 'shop/.envoy', 'my_id_rsa'].map((key) => ({
          ...get(key),
          userIdentity: by('Mateo_Jackson'),
          eventTime: '2025-03-11T09:00:00Z',
        })),
      ],
      alerts: [],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AccessDenied' },
        { ...newcomer, eventName: 'HeadObject' },
        { ...newcomer, eventSource: 'example.amazonaws.com' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'ecs.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
