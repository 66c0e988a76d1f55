/** A request with credentials came from outside the networks that are yours. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const outside = read.replace('192.0.2.44', '203.0.113.9');
const HOME = { networks: ['192.0.2.0/24', '10.0.0.0/8'] };

export const detector = defineDetector({
  id: 'request-outside-networks',
  title: 'A bucket was used from outside your networks',
  description:
    'You name the networks from which buckets are used; requests with credentials that succeed from any other address are told. Without them it says nothing.',
  severity: 'medium',
  severityReason: 'The credentials are good and the place is wrong: stolen, or somebody works from home.',
  table: 's3_access',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['collection', 'data-protection'],
  when: {
    all: [
      { outcome: 'success', is_anonymous: false, source_ip: { exists: true }, bucket: { re: parameter('buckets') } },
      { not: { source_ip: { cidr: parameter('networks') } } },
    ],
  },
  slot: '1h',
  subject: ['principal', 'source_ip'],
  summary:
    '{principal} made {count} requests from {source_ip}, outside your networks: first {operation} {key} in {bucket}',
  parameters: {
    networks: z
      .array(z.string())
      .min(1)
      .default(['0.0.0.0/0', '::/0'])
      .describe(
        'networks in CIDR notation; the default holds every address. Requests through a VPC endpoint come from private addresses',
      ),
    buckets: z
      .string()
      .default('.')
      .describe('RE2 pattern of names of buckets for which the fence holds; the default fits all'),
  },
  falsePositives: [
    'An AWS service that calls on behalf of a role from an address of AWS: leave its buckets out.',
    'Somebody who works from home.',
  ],
  blindSpots: [
    'An intruder inside the networks.',
    'Requests of which the log tells no address, such as those of CloudFront.',
  ],
  response: [
    'Run the saved question s3-address-requests for source_ip.',
    'If it was not the owner of the credentials, withdraw them.',
  ],
  examples: [
    {
      name: 'from a foreign address',
      records: [outside],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', source_ip: '203.0.113.9' } }],
      parameters: HOME,
    },
    {
      name: 'from home, and through an endpoint',
      records: [read, read.replace('192.0.2.44', '10.0.1.7')],
      alerts: [],
      parameters: HOME,
    },
    { name: 'no networks are named', records: [outside], alerts: [] },
    {
      name: 'a bucket that the fence leaves out',
      records: [outside],
      alerts: [],
      parameters: { ...HOME, buckets: '^finance-' },
    },
    {
      name: 'refused, without credentials, or without an address',
      records: [
        outside.replace('200 -', '403 AccessDenied'),
        outside
          .replace('arn:aws:iam::111122223333:user/Alice', '-')
          .replace('= SigV4', '= -')
          .replace('AuthHeader', '-'),
        read.replace('192.0.2.44', '-'),
      ],
      alerts: [],
      parameters: HOME,
    },
  ],
});
