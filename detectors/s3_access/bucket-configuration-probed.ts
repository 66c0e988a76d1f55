/** Somebody without credentials asks a bucket for its policy, its ACL and its list. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const denied =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.BUCKET - "GET /?list-type=2 HTTP/1.1" 403 AccessDenied 243 - 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const OPERATIONS = ['BUCKET', 'ACL', 'BUCKETPOLICY', 'CORS', 'WEBSITE', 'LOGGING_STATUS'];
const ask = (index: number) =>
  denied.replace('REST.GET.BUCKET', `REST.GET.${OPERATIONS[index % OPERATIONS.length] ?? ''}`);

export const detector = defineDetector({
  id: 'bucket-configuration-probed',
  title: 'A bucket was probed without credentials',
  description:
    'One address asked a bucket, without credentials, for its list, its policy, its ACL and the like, and was refused each time: a tool that looks for open buckets went over it.',
  severity: 'low',
  severityReason: 'Every bucket whose name can be guessed is probed sooner or later; all was refused.',
  table: 's3_access',
  attack: [
    { technique: 'T1619', version: 16 },
    { technique: 'T1595', version: 16 },
  ],
  tags: ['reconnaissance'],
  when: {
    all: [{ outcome: 'denied', is_anonymous: true }, { not: { resource_type: 'OBJECT' } }],
  },
  threshold: { atLeast: parameter('operations'), distinct: 'operation', within: '10m' },
  slot: '1d',
  subject: ['bucket', 'source_ip'],
  summary: '{source_ip} asked {bucket} {count} times about itself without credentials, with {user_agent}',
  parameters: {
    operations: z
      .int()
      .min(2)
      .default(3)
      .describe('distinct operations; a browser that opens the address of a bucket makes one'),
  },
  falsePositives: ['A security scanner of your own.'],
  blindSpots: ['Tools that only try to list.', 'Probes with credentials: bucket-requests-denied.'],
  response: ['Look for successful requests of the same remote_ip: saved question s3-requests-of-address.'],
  examples: [
    {
      name: 'six questions in a minute',
      records: [{ repeat: 6, every: '10s', record: ask }],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 6, peak: 6 }],
    },
    { name: 'one question again and again', records: [{ repeat: 50, every: '5s', record: denied }], alerts: [] },
    { name: 'three questions over an hour', records: [{ repeat: 3, every: '20m', record: ask }], alerts: [] },
    {
      name: 'answered: anonymous-bucket-listing',
      records: [{ repeat: 6, every: '10s', record: (index) => ask(index).replace('403 AccessDenied', '200 -') }],
      alerts: [],
    },
    {
      name: 'a role of the account that lacks permissions',
      records: [
        {
          repeat: 6,
          every: '10s',
          record: (index) =>
            ask(index)
              .replace(' - {id}', ' arn:aws:iam::111122223333:user/Auditor {id}')
              .replace('= - TLS', '= SigV4 TLS'),
        },
      ],
      alerts: [],
    },
    {
      name: 'objects that are not public',
      records: [
        {
          repeat: 6,
          every: '10s',
          record: (index) =>
            denied.replace('REST.GET.BUCKET -', `REST.${['GET', 'HEAD', 'PUT'][index % 3] ?? ''}.OBJECT a.html`),
        },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [{ repeat: 3, every: '285s', record: ask }],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 3 }],
    },
    { name: 'one too few', records: [{ repeat: 2, every: '285s', record: ask }], alerts: [] },
  ],
});
