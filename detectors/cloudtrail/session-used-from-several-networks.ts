/** One role session or session token was used from two networks by two kinds of programs. */
import { defineDetector } from '../../src/detector.ts';

const call = (sourceIPAddress: string, userAgent: string, change: object = {}) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  eventTime: '2025-03-03T10:00:00Z',
  sourceIPAddress,
  userAgent,
  userIdentity: caller('build-17'),
  ...change,
});
const caller = (session: string, more: object = {}) => ({
  type: 'AssumedRole',
  principalId: `AROAIDPPEZS35WEXAMPLE:${session}`,
  arn: `arn:aws:sts::111122223333:assumed-role/Pipeline/${session}`,
  accountId: '111122223333',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sessionContext: {
    sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/Pipeline', accountId: '111122223333' },
  },
  ...more,
});
const own = call('198.51.100.10', 'APN/1.0 HashiCorp/1.0 Terraform/1.9.8');
const thief = call('203.0.113.99', 'aws-cli/2.15.0 command/s3.ls');
const ALERT = {
  subject: { principal: 'arn:aws:iam::111122223333:role/Pipeline', access_key_id: 'ASIAIOSFODNN7EXAMPLE' },
};

export const detector = defineDetector({
  id: 'session-used-from-several-networks',
  title: 'One session was used from two networks by two programs',
  description:
    'Temporary credentials were used within an hour from two networks (the first half of an IPv4 address, the first two groups of an IPv6 one), and the two networks have no kind of program in common. A laptop that turns a VPN on keeps its programs, and so do functions and containers that leave by several addresses; a stolen token is used with another tool. ' +
    'Instances have a detector of their own.',
  severity: 'high',
  severityReason: 'Tokens live in one place; two places with two tools are two holders.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1550.001', version: 16 }],
  tags: ['lateral-movement', 'credential-access'],
  when: {
    all: [
      { access_key_id: { startswith: 'ASIA' } },
      { not: { vpc_endpoint_id: { exists: true } } },
      { not: { invoked_by: { exists: true } } },
      { not: { actor_type: 'service' } },
      // The console and CloudShell call from addresses of AWS beside that of the browser.
      { not: { session_from_console: true } },
      { not: { user_agent: { contains: 'exec-env/CloudShell' } } },
      { not: { session_name: { re: '^i-[0-9a-f]{8}([0-9a-f]{9})?$' } } },
    ],
  },
  sql: `-- One row per session and hour with two networks that have no kind of program in common.
WITH moved AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.account_id, c.access_key_id
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3
  HAVING min(c.source_ip) <> max(c.source_ip)
), calls AS (
  SELECT m.slot, m.account_id, c.principal, m.access_key_id,
    regexp_extract(c.source_ip, '^([0-9]+[.][0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*)') AS network,
    coalesce(regexp_extract(c.user_agent, '^[^A-Za-z]*([A-Za-z0-9_.-]+)', 1), '') AS program, min(c.session_name) AS session_name,
    min(c.principal_arn) AS principal_arn, min(c.aws_region) AS aws_region, min(c.source_ip) AS source_ip, min(c.event_time) AS first_seen,
    max(c.event_time) AS last_seen, count(*) AS calls, min(c.event_id) AS event_id
  FROM moved AS m
  JOIN cloudtrail AS c ON c.account_id = m.account_id AND c.access_key_id = m.access_key_id AND date_trunc('hour', c.event_time) = m.slot
  GROUP BY 1, 2, 3, 4, 5, 6
), pairs AS (
  SELECT a.slot, a.account_id, a.access_key_id, a.network AS first_network, b.network AS second_network, min(b.source_ip) AS other_ip
  FROM calls AS a
  JOIN calls AS b ON b.slot = a.slot AND b.account_id = a.account_id AND b.access_key_id = a.access_key_id AND b.network > a.network
  GROUP BY 1, 2, 3, 4, 5
  HAVING count_if(b.program = a.program) = 0
), apart AS (
  SELECT p.slot, p.account_id, p.access_key_id, min(p.other_ip) AS other_ip
  FROM pairs AS p
  GROUP BY 1, 2, 3
)
SELECT c.slot, c.account_id, c.principal, c.access_key_id, min(c.session_name) AS session_name, min(c.principal_arn) AS principal_arn,
  min(c.aws_region) AS aws_region, min(c.source_ip) AS source_ip, min(a.other_ip) AS other_ip, min(c.first_seen) AS first_seen,
  max(c.last_seen) AS last_seen, CAST(sum(c.calls) AS BIGINT) AS count, array_join(array_agg(DISTINCT c.program ORDER BY c.program), ', ') AS programs,
  array_agg(DISTINCT c.source_ip ORDER BY c.source_ip) AS source_ips, array_agg(c.event_id ORDER BY c.first_seen, c.event_id) AS event_ids
FROM calls AS c
JOIN apart AS a ON a.slot = c.slot AND a.account_id = c.account_id AND a.access_key_id = c.access_key_id
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id'],
  summary:
    'The session {session_name} of {principal} was used from {source_ip} and {other_ip} with {programs} ({count} calls in the hour)',
  falsePositives: [
    'A person who hands a token on from a laptop to a server.',
    'A build that calls with one tool from its runner and with another from a container behind another gateway.',
  ],
  blindSpots: [
    'A thief with the same kind of program as the owner, in the same network, or in another hour.',
    'Sessions of the console, of CloudShell and of EC2 instances (instance-credentials-used-elsewhere).',
    'Which country or provider an address belongs to needs enrichment of addresses.',
  ],
  response: [
    'Revoke the sessions of the role (deny by aws:TokenIssueTime), then read both: saved question access-key-activity.',
    'Find the AssumeRole that issued access_key_id: saved question role-assumptions.',
  ],
  examples: [
    { name: 'the pipeline, then a stranger with a shell', records: [own, thief], alerts: [{ ...ALERT, count: 2 }] },
    {
      name: 'from two networks by IPv6, one without a user agent',
      records: [
        { ...own, sourceIPAddress: '2001:db8::1' },
        { ...thief, sourceIPAddress: '2001:db9::1', userAgent: undefined },
      ],
      alerts: [{ ...ALERT, count: 2 }],
    },
    {
      name: 'a laptop that turns a VPN on goes on with the same program',
      records: [
        call('198.51.100.10', 'aws-cli/2.15.0 command/s3.ls'),
        call('203.0.113.99', '[aws-cli/2.16.1 command/ec2.describe-instances]'),
      ],
      alerts: [],
    },
    {
      name: 'two programs, one of which is at work in both networks',
      records: [own, { ...own, userAgent: 'aws-cli/2.15.0' }, thief],
      alerts: [],
    },
    {
      name: 'two programs in one network, by IPv4 and by IPv6',
      records: [
        own,
        { ...thief, sourceIPAddress: '198.51.200.7' },
        {
          ...own,
          sourceIPAddress: '2001:db8:1::1',
          userIdentity: caller('a', { accessKeyId: 'ASIAIIIIIIIIIEXAMPLE' }),
        },
        {
          ...thief,
          sourceIPAddress: '2001:db8:2::1',
          userIdentity: caller('a', { accessKeyId: 'ASIAIIIIIIIIIEXAMPLE' }),
        },
      ],
      alerts: [],
    },
    {
      name: 'beside a session with a VPN, one in another account, and one in another hour',
      records: [
        own,
        thief,
        ...['198.51.100.20', '203.0.113.7'].map((address) => ({
          ...thief,
          sourceIPAddress: address,
          userIdentity: caller('vpn', { accessKeyId: 'ASIAI44QH8DHBEXAMPLE' }),
        })),
        { ...own, recipientAccountId: '222233334444' },
        { ...own, eventTime: '2025-03-03T11:00:00Z' },
      ],
      alerts: [{ ...ALERT, count: 2 }],
    },
    { name: 'in another hour', records: [own, { ...thief, eventTime: '2025-03-03T11:00:00Z' }], alerts: [] },
    {
      name: 'two sessions, and a long-term key',
      records: [
        own,
        { ...thief, userIdentity: caller('build-18', { accessKeyId: 'ASIAI44QH8DHBEXAMPLE' }) },
        { ...own, userIdentity: caller('x', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }) },
        { ...thief, userIdentity: caller('x', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }) },
      ],
      alerts: [],
    },
    {
      name: 'through an endpoint, by a service for it, by a service, in the console, in CloudShell, on an instance',
      records: [
        own,
        { ...thief, vpcEndpointId: 'vpce-1234567890abcdef0', sourceIPAddress: '10.1.2.3' },
        { ...thief, userIdentity: caller('build-17', { invokedBy: 'cloudformation.amazonaws.com' }) },
        { ...thief, sourceIPAddress: 'cloudformation.amazonaws.com' },
        {
          ...thief,
          userIdentity: caller('build-17', {
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX',
              },
            },
          }),
        },
        { ...thief, sessionCredentialFromConsole: 'true' },
        { ...thief, userAgent: 'aws-cli/2.13.5 exec-env/CloudShell' },
        { ...thief, userIdentity: caller('i-1234567890abcdef0') },
        { ...thief, userIdentity: caller('i-1234abcd') },
      ],
      alerts: [],
    },
  ],
});
