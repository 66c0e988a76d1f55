/** A principal that always comes from the same few networks came from another one. */
import { defineDetector, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const days = (repeat: number, change: (record: string) => string = (record) => record) =>
  ({ repeat, every: '1d', record: change(read.replace('{time}', '01/Mar/2025:08:00:00 +0000')) }) as const;
const later = read.replace('{time}', '11/Mar/2025:09:00:00 +0000');
const moved = later.replace('192.0.2.44', '203.0.113.9');
/** A fleet that has come from many networks. */
const fleet = Array.from({ length: 10 }, (_, index) =>
  read
    .replace('{time}', `${String(index + 1).padStart(2, '0')}/Mar/2025:08:00:00 +0000`)
    .replace('192.0.2.44', `198.${index + 18}.0.7`),
);

export const detector = defineDetector({
  id: 'requester-network-first-seen',
  title: 'A principal used S3 from a network that is new for it',
  description:
    'Looks at principals that, on at least several days of the two weeks before, came from a handful of networks at most, and tells when one comes from elsewhere. A network is the first two numbers of an IPv4 address, or the first three groups of an IPv6 address: near enough to a provider without a list of providers.',
  severity: 'medium',
  severityReason: 'This is how stolen credentials show; a new office or another provider at home looks the same.',
  table: 's3_access',
  attack: [
    { technique: 'T1078.004', version: 16 },
    { technique: 'T1530', version: 16 },
  ],
  tags: ['initial-access', 'baseline'],
  when: {
    all: [{ outcome: 'success', is_anonymous: false }, { not: { requester: { startswith: 'svc:' } } }],
  },
  sql: `-- One row per principal, network and day in which a principal of few networks came from a new one.
WITH requests AS (
  SELECT date_trunc('day', s.event_time) AS slot, s.principal, s.principal_arn, s.account_id, s.source_ip, s.bucket, s.operation, s.key,
    s.event_time, s.request_id,
    coalesce(regexp_extract(s.source_ip, '^[0-9]+[.][0-9]+[.]'), regexp_extract(s.source_ip, '^[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F]*'), s.source_ip) AS network
  FROM s3_access AS s
), seen AS (
  SELECT r.slot, r.principal, r.network
  FROM requests AS r
  GROUP BY 1, 2, 3
), history AS (
  SELECT n.slot, n.principal, n.network, count(DISTINCT h.slot) AS days, count(DISTINCT h.network) AS networks,
    count_if(h.network = n.network) AS days_there
  FROM seen AS n
  JOIN seen AS h ON h.principal = n.principal AND h.slot < n.slot AND h.slot >= n.slot - INTERVAL '14' DAY
  GROUP BY 1, 2, 3
)
SELECT r.slot, r.principal, r.network, min(r.principal_arn) AS principal_arn, min(r.account_id) AS account_id, min(r.source_ip) AS source_ip,
  min(r.bucket) AS bucket, min(r.operation) AS operation, min(h.days) AS days, min(h.networks) AS networks,
  min(r.event_time) AS first_seen, max(r.event_time) AS last_seen, count(*) AS count,
  array_agg(r.request_id ORDER BY r.event_time, r.request_id) AS event_ids
FROM requests AS r
JOIN history AS h ON h.slot = r.slot AND h.principal = r.principal AND h.network = r.network
WHERE h.days_there = 0 AND h.days >= :days AND h.networks <= :networks
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  lookback: '14d',
  slot: '1d',
  subject: ['principal', 'network'],
  summary:
    '{principal}, on {days} days before from {networks} networks, made {count} requests from {source_ip}: {operation} in {bucket}',
  parameters: {
    days: z
      .int()
      .min(2)
      .max(14)
      .default(5)
      .describe('days of the 14 before on which the principal was seen; fewer say too little of its habits'),
    networks: z
      .int()
      .min(1)
      .default(3)
      .describe('networks from which it came on those days at most; who comes from everywhere has no habits'),
  },
  falsePositives: [
    'A new office, another provider, a trip.',
    'A role of Lambda or Fargate without a VPC that comes from few addresses of AWS, then from another.',
  ],
  blindSpots: [
    'Silent for principals with less than a few days of log.',
    'A thief in the same network, such as another customer of the same provider.',
    'Requests of which the log tells no address.',
  ],
  response: [
    'Run the saved question requester-activity for principal, and s3-address-requests for source_ip.',
    'Ask the owner; otherwise withdraw the credentials.',
  ],
  examples: [
    {
      name: 'ten days from the office, then from elsewhere',
      records: [days(10), moved],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', network: '203.0.' }, count: 1 }],
    },
    {
      name: 'another address of the office',
      records: [days(10), later.replace('192.0.2.44', '192.0.2.45')],
      alerts: [],
    },
    { name: 'seen on too few days', records: [days(4), moved], alerts: [] },
    {
      name: 'the operator asks for fewer days',
      records: [days(4), moved],
      alerts: [{ subject: { network: '203.0.' } }],
      parameters: { days: 4 },
    },
    { name: 'a fleet without habits', records: [...fleet, moved], alerts: [] },
    { name: 'refused', records: [days(10), moved.replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'visitors without credentials, and an AWS service',
      records: [
        days(10, (record) =>
          record
            .replace('arn:aws:iam::111122223333:user/Alice', '-')
            .replace('= SigV4', '= -')
            .replace('AuthHeader', '-'),
        ),
        moved.replace('arn:aws:iam::111122223333:user/Alice', '-').replace('= SigV4', '= -').replace('AuthHeader', '-'),
        days(10, (record) => record.replace('arn:aws:iam::111122223333:user/Alice', 'svc:example.amazonaws.com')),
        moved.replace('arn:aws:iam::111122223333:user/Alice', 'svc:example.amazonaws.com'),
      ],
      alerts: [],
    },
    {
      name: 'some requests of which the log tells no address',
      records: [days(10), later.replace('192.0.2.44', '-')],
      alerts: [],
    },
  ],
});
