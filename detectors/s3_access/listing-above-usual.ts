/** A principal lists a bucket far more than it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const list =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.BUCKET - "GET /?list-type=2 HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const hour = (repeat: number, date: string, record = list) =>
  ({ repeat, every: '5s', record: record.replace('{time}', `${date}/Mar/2025:09:00:00 +0000`) }) as const;
const usual = Array.from({ length: 10 }, (_, index) => hour(20, String(index + 1).padStart(2, '0')));

export const detector = defineDetector({
  id: 'listing-above-usual',
  title: 'A bucket was listed far more than usual',
  description:
    'Requests for lists of one principal in one bucket and hour, compared with the median of its own hours in the week before. A walk through all prefixes of a bucket takes thousands of them.',
  severity: 'low',
  severityReason: 'A first synchronisation does the same.',
  table: 's3_access',
  attack: [{ technique: 'T1619', version: 16 }],
  tags: ['discovery', 'baseline'],
  when: {
    all: [
      { operation: ['REST.GET.BUCKET', 'REST.GET.BUCKETVERSIONS'] },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('requests'), over: '7d' },
  slot: '1h',
  subject: ['bucket', 'principal'],
  summary: '{principal} asked {count} times in an hour for lists of {bucket}, from {remote_ip} with {user_agent}',
  parameters: {
    times: z.number().min(1).default(10).describe('multiple of the median of its hours with lists in the week before'),
    requests: z
      .int()
      .min(1)
      .default(500)
      .describe('requests in the hour below which nothing is said; each lists up to a thousand keys'),
  },
  falsePositives: ['The first run of a synchronisation or a backup.'],
  blindSpots: [
    'Silent until the bucket has three days of log.',
    'Principals that list all the time.',
    'A bucket so small that few lists show all of it.',
  ],
  response: ['Look at the prefixes in request_uri with the saved question requester-activity.'],
  examples: [
    {
      name: 'five hundred lists after twenty each day',
      records: [...usual, hour(500, '11')],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 500 },
      ],
    },
    { name: 'one list fewer', records: [...usual, hour(499, '11')], alerts: [] },
    {
      name: 'less than ten times as many',
      records: [hour(60, '01'), hour(60, '09'), hour(60, '10'), hour(500, '11')],
      alerts: [],
    },
    {
      name: 'the operator asks for less',
      records: [...usual, hour(100, '11')],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' }, count: 100 }],
      parameters: { times: 5, requests: 100 },
    },
    { name: 'there is no history yet', records: [hour(500, '11')], alerts: [] },
    {
      name: 'objects that are read',
      records: [...usual, hour(500, '11', list.replace('GET.BUCKET -', 'GET.OBJECT a.csv'))],
      alerts: [],
    },
    {
      name: 'a service of AWS',
      records: [
        ...usual,
        hour(500, '11', list.replace('arn:aws:iam::111122223333:user/Alice', 'svc:example.amazonaws.com')),
      ],
      alerts: [],
    },
  ],
});
