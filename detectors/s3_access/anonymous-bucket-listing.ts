/** Somebody without credentials was shown what a bucket holds. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const list =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.BUCKET - "GET /?list-type=2 HTTP/1.1" 200 - 4096 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';

export const detector = defineDetector({
  id: 'anonymous-bucket-listing',
  title: 'A bucket was listed without credentials',
  description:
    'A request without credentials got the list of keys. Whoever can list a bucket need not guess: scanners look for exactly this, and then fetch everything.',
  severity: 'medium',
  severityReason: 'Few buckets are meant to be listed by everybody; what is in them decides how bad it is.',
  table: 's3_access',
  attack: [{ technique: 'T1619', version: 16 }],
  tags: ['discovery', 'data-protection'],
  when: {
    all: [
      // Operations: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
      { operation: ['REST.GET.BUCKET', 'REST.GET.BUCKETVERSIONS'], is_anonymous: true, outcome: 'success' },
      { not: { bucket: { re: parameter('open_buckets') } } },
    ],
  },
  slot: '1d',
  subject: ['bucket'],
  summary: '{bucket} was listed {count} times without credentials, first from {remote_ip} with {user_agent}',
  parameters: {
    open_buckets: z
      .string()
      .default('^$')
      .describe('RE2 pattern of names of buckets that everybody may list; the default fits no bucket'),
  },
  falsePositives: ['A bucket of open data: name it in open_buckets.'],
  blindSpots: [
    'Access logs are delivered as best effort: single requests can be missing.',
    'Listing by any AWS account, which comes with credentials: bucket-requester-account-first-seen.',
  ],
  response: [
    'Switch Block Public Access on, or take ListBucket for everybody out of the policy or ACL.',
    'Run the saved question anonymous-reads for what was fetched, and s3-address-requests for remote_ip.',
  ],
  examples: [
    {
      name: 'a stranger lists a bucket',
      records: [list, list.replace('REST.GET.BUCKET', 'REST.GET.BUCKETVERSIONS')],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' }, count: 2 }],
    },
    {
      name: 'refused, as it should be',
      records: [{ repeat: 50, every: '1s', record: list.replace('200 -', '403 AccessDenied') }],
      alerts: [],
    },
    {
      name: 'listed by a user of the account',
      records: [
        list.replace(' - {id}', ' arn:aws:iam::111122223333:user/Alice {id}').replace('= - TLS', '= SigV4 TLS'),
      ],
      alerts: [],
    },
    {
      name: 'an object of a public bucket is read',
      records: [list.replace('REST.GET.BUCKET - ', 'REST.GET.OBJECT index.html ')],
      alerts: [],
    },
    {
      name: 'the bucket is meant to be open',
      records: [list],
      alerts: [],
      parameters: { open_buckets: '^amzn-s3-demo-' },
    },
  ],
});
