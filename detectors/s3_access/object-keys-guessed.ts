/** Somebody without credentials tries one key after the other. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const missing =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT backup-1.zip "GET /backup-1.zip HTTP/1.1" 404 NoSuchKey 301 - 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const guess = (index: number) => missing.replaceAll('backup-1.zip', `backup-${index}.zip`);
const many = (record: (index: number) => string) => ({ repeat: 200, every: '2s', record }) as const;

export const detector = defineDetector({
  id: 'object-keys-guessed',
  title: 'Keys of a bucket were guessed',
  description:
    'One address asked a bucket, without credentials, for many different keys that do not exist or are not public: a list of likely names is being tried. Where nobody may list the bucket, S3 answers 403 for keys that do not exist, otherwise 404.',
  severity: 'medium',
  severityReason: 'Nothing was found by these requests, but somebody is working on this bucket.',
  table: 's3_access',
  attack: [
    { technique: 'T1619', version: 16 },
    { technique: 'T1595.003', version: 16 },
  ],
  tags: ['reconnaissance', 'discovery'],
  when: {
    operation: ['REST.GET.OBJECT', 'REST.HEAD.OBJECT'],
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html tells when it is which.
    error_code: ['NoSuchKey', 'AccessDenied'],
    is_anonymous: true,
  },
  threshold: { atLeast: parameter('keys'), distinct: 'key', within: '10m' },
  slot: '1h',
  subject: ['bucket', 'source_ip'],
  summary: '{source_ip} tried {peak} keys of {bucket} within ten minutes, first {key}, with {user_agent}',
  parameters: {
    keys: z
      .int()
      .min(2)
      .default(200)
      .describe('distinct keys; a page with dead links makes a browser ask for some tens, a word list has thousands'),
  },
  falsePositives: ['A crawler that follows the dead links of an old site.'],
  blindSpots: [
    'Guessing from many addresses at once, or slowly.',
    'Requests through CloudFront, of which the log tells no address.',
    'The endpoint for web sites (WEBSITE.GET.OBJECT), which every scanner of the internet tries.',
  ],
  response: ['Run the saved question s3-requests-of-address for source_ip: what was there among the guesses.'],
  examples: [
    {
      name: 'two hundred names in seven minutes',
      records: [many(guess)],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 200, peak: 200 }],
    },
    {
      name: 'as many in a bucket that nobody may list',
      records: [many((index) => guess(index).replace('404 NoSuchKey', '403 AccessDenied'))],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 200 }],
    },
    { name: 'one name fewer', records: [{ ...many(guess), repeat: 199 }], alerts: [] },
    { name: 'one dead link again and again', records: [{ ...many(() => missing), repeat: 400 }], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(guess), every: '5m' }], alerts: [] },
    {
      name: 'a reader of a public site',
      records: [many((index) => guess(index).replace('404 NoSuchKey', '200 -'))],
      alerts: [],
    },
    {
      name: 'a scanner at the endpoint for web sites',
      records: [many((index) => guess(index).replace('REST.GET', 'WEBSITE.GET'))],
      alerts: [],
    },
    {
      name: 'a job that looks whether its output is there already',
      records: [
        many((index) =>
          guess(index)
            .replace('REST.GET', 'REST.HEAD')
            .replace(' - {id}', ' arn:aws:sts::111122223333:assumed-role/etl/nightly {id}')
            .replace('= - TLS', '= SigV4 TLS'),
        ),
      ],
      alerts: [],
    },
    {
      name: 'the same by REST.HEAD.OBJECT',
      records: [
        {
          ...many(guess),
          record: (index: number) => many(guess).record(index).replace('REST.GET.OBJECT', 'REST.HEAD.OBJECT'),
        },
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', source_ip: '192.0.2.44' }, count: 200 }],
    },
  ],
});
