/** A caller still speaks TLS 1.0 or 1.1. */
import { defineDetector } from '../../src/detector.ts';

const call = (tlsVersion: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  tlsDetails: { tlsVersion, cipherSuite: 'ECDHE-RSA-AES128-SHA', clientProvidedHostHeader: 's3.amazonaws.com' },
  eventTime: '2025-03-11T09:00:00Z',
});
const history = {
  repeat: 10,
  every: '1d',
  record: { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', eventTime: '2025-03-01T10:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'old-tls-used',
  title: 'A principal called AWS over TLS 1.0 or 1.1',
  description:
    'Old versions of TLS can be broken by whoever sits on the line. The principal had not used one during the last 30 days: a new program with an old library, or somebody in the middle who talked the connection down.',
  severity: 'low',
  severityReason: 'A weakness, seldom an attack.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1040', version: 16 }],
  tags: ['hygiene', 'data-protection', 'baseline'],
  when: { all: [{ tls_version: ['TLSv1', 'TLSv1.0', 'TLSv1.1'] }, { not: { actor_type: 'service' } }] },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1d',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} over {tls_version} with {user_agent} from {source_address}',

  falsePositives: ['A machine with an old library that is started once a month.'],
  blindSpots: [
    'Calls without TLS: CloudTrail does not tell them apart, the S3 access log does (signed-request-without-tls).',
    'Records without tlsDetails, which older services write.',
  ],

  response: ['Update the program: user_agent names it.', 'Run the saved question top-user-agents to find others.'],
  examples: [
    {
      name: 'each old version, after ten days without',
      records: [history, ...['TLSv1', 'TLSv1.0', 'TLSv1.1'].map((tlsVersion) => call(tlsVersion))],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    {
      name: 'an old program that is known',
      records: [{ repeat: 12, every: '1d', record: { ...call('TLSv1'), eventTime: '2025-03-01T10:00:00Z' } }],
      alerts: [],
    },
    {
      name: 'a version of today, no details, or an AWS service',
      records: [
        history,
        call('TLSv1.2'),
        call('TLSv1.3'),
        { ...call('x'), tlsDetails: undefined },
        { ...call('TLSv1'), userIdentity: { type: 'AWSService', invokedBy: 's3.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
