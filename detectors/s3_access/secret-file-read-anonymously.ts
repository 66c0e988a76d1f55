/** A file that holds credentials was fetched by somebody without any. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT app/.env "GET /app/.env HTTP/1.1" 200 - 4096 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const of = (key: string) => read.replaceAll('app/.env', key);

export const detector = defineDetector({
  id: 'secret-file-read-anonymously',
  title: 'A file with credentials was read without any',
  description:
    'Scanners ask every site for /.env, /.git/config and the like and are mostly told that there is none. Here S3 sent the file.',
  severity: 'high',
  severityReason: 'What stands in such a file opens the next door, and the one who has it was looking for it.',
  table: 's3_access',
  attack: [{ technique: 'T1552.001', version: 16 }],
  tags: ['credential-access', 'data-protection'],
  when: {
    operation: ['REST.GET.OBJECT', 'WEBSITE.GET.OBJECT'],
    is_anonymous: true,
    outcome: 'success',
    key: { re: parameter('keys') },
  },
  slot: '1d',
  subject: ['bucket', 'key'],
  summary: '{key} of {bucket} was read {count} times without credentials, first from {remote_ip} with {user_agent}',
  parameters: {
    keys: z
      .string()
      .default(
        '(?i)(^|/|%2f)([.]env([.][a-z]+)?|[.]aws/credentials|[.]git/config|[.]htpasswd|[.]npmrc|[.]netrc|id_(rsa|ed25519)|[^/]*[.](tfstate|kdbx|ppk))$',
      )
      .describe('RE2 pattern of keys, as the log writes them, that nobody should read without credentials'),
  },
  falsePositives: ['A sample file without real values in it.', 'A decoy.'],
  blindSpots: [
    'Files under other names: extend keys.',
    'Reading through CloudFront, which comes with credentials of its own.',
  ],
  response: [
    'Take the file away and replace every credential in it.',
    'Run the saved question object-requests for the key: who else has it.',
  ],
  examples: [
    {
      name: 'the settings of an application, and the state of Terraform',
      records: [read, of('infra/prod.tfstate')],
      alerts: [{ subject: { key: 'app/.env' } }, { subject: { key: 'infra/prod.tfstate' } }],
    },
    { name: 'the scanner finds nothing', records: [read.replace('200 -', '404 NoSuchKey')], alerts: [] },
    {
      name: 'an ordinary page, and names that look alike',
      records: [of('index.html'), of('docs/environment')],
      alerts: [],
    },
    { name: 'stored, not read', records: [read.replace('REST.GET', 'REST.PUT')], alerts: [] },
    {
      name: 'read by the application itself',
      records: [
        read
          .replace(' - {id}', ' arn:aws:sts::111122223333:assumed-role/app/i-0 {id}')
          .replace('= - TLS', '= SigV4 TLS'),
      ],
      alerts: [],
    },
    {
      name: 'the same by WEBSITE.GET.OBJECT',
      records: [
        read.replace('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT'),
        of('infra/prod.tfstate').replace('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT'),
      ],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', key: 'app/.env' }, count: 1 },
        { subject: { bucket: 'amzn-s3-demo-bucket', key: 'infra/prod.tfstate' }, count: 1 },
      ],
    },
  ],
});
