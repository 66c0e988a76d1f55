/** Somebody lists one bucket after the other. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const list =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.BUCKET - "GET /?list-type=2 HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const sweep = (index: number) => list.replaceAll('amzn-s3-demo-bucket', `amzn-s3-demo-bucket-${index}`);
const many = (record: (index: number) => string, repeat = 10) => ({ repeat, every: '20s', record }) as const;

export const detector = defineDetector({
  id: 'bucket-listing-sweep',
  title: 'Many buckets were listed one after the other',
  description:
    'One principal, from one address, listed the keys of many buckets within ten minutes, whether it was let or not: whoever comes into an account with stolen credentials looks first where the data is.',
  severity: 'medium',
  severityReason: 'Reconnaissance with good credentials; inventory tools do the same.',
  table: 's3_access',
  attack: [{ technique: 'T1619', version: 16 }],
  tags: ['discovery'],
  when: {
    all: [
      { operation: ['REST.GET.BUCKET', 'REST.GET.BUCKETVERSIONS'] },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  threshold: { atLeast: parameter('buckets'), distinct: 'bucket', within: '10m' },
  slot: '1h',
  subject: ['principal', 'source_ip'],
  summary: '{principal} listed {peak} buckets within ten minutes from {source_ip}, first {bucket}, with {user_agent}',
  parameters: {
    buckets: z.int().min(2).default(10).describe('distinct buckets in ten minutes; a program has its two or three'),
  },
  falsePositives: ['An inventory or a scanner for personal data, such as Macie: suppress its role.'],
  blindSpots: ['Buckets without access logs.', 'Slow sweeps, and sweeps from many addresses.'],
  response: ['Run the saved question requester-activity for principal: what was read after the sweep.'],
  examples: [
    {
      name: 'ten buckets in three minutes',
      records: [many(sweep)],
      alerts: [
        {
          subject: { principal: 'arn:aws:iam::111122223333:user/Alice', source_ip: '192.0.2.44' },
          count: 10,
          peak: 10,
        },
      ],
    },
    {
      name: 'by a stranger who is refused everywhere',
      records: [
        many((index) =>
          sweep(index)
            .replace('arn:aws:iam::111122223333:user/Alice', '-')
            .replace('= SigV4', '= -')
            .replace('AuthHeader', '-')
            .replace('200 -', '403 AccessDenied'),
        ),
      ],
      alerts: [{ subject: { principal: 'anonymous' }, peak: 10 }],
    },
    { name: 'one bucket fewer', records: [many(sweep, 9)], alerts: [] },
    { name: 'one bucket again and again', records: [many(() => list, 30)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(sweep), every: '1h' }], alerts: [] },
    {
      name: 'objects of many buckets',
      records: [many((index) => sweep(index).replace('GET.BUCKET -', 'GET.OBJECT a.csv'))],
      alerts: [],
    },
    {
      name: 'a service of AWS',
      records: [
        many((index) => sweep(index).replace('arn:aws:iam::111122223333:user/Alice', 'svc:example.amazonaws.com')),
      ],
      alerts: [],
    },
    {
      name: 'the same by REST.GET.BUCKETVERSIONS',
      records: [
        {
          ...many(sweep),
          record: (index: number) => many(sweep).record(index).replace('REST.GET.BUCKET', 'REST.GET.BUCKETVERSIONS'),
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', source_ip: '192.0.2.44' }, count: 10 }],
    },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(sweep), every: '63s' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', source_ip: '192.0.2.44' }, count: 10 }],
    },
  ],
});
