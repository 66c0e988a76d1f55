/** One person signed in to the console from two networks with two browsers within an hour. */
import { defineDetector, z } from '../../src/detector.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0';
const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/146.0.0.0 Safari/537.36';
const login = (sourceIPAddress: string, userAgent: string, eventTime: string, change: object = {}) => ({
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  eventType: 'AwsConsoleSignIn',
  eventTime,
  sourceIPAddress,
  userAgent,
  responseElements: { ConsoleLogin: 'Success' },
  ...change,
});
const saml = (session: string) => ({
  userIdentity: {
    type: 'AssumedRole',
    principalId: `AROAIDPPEZS35WEXAMPLE:${session}`,
    arn: `arn:aws:sts::111122223333:assumed-role/Operators/${session}`,
    accountId: '111122223333',
    sessionContext: { sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/Operators' } },
  },
});
const atHome = login('192.0.2.44', FIREFOX, '2025-03-03T10:00:00Z');
const far = login('203.0.113.99', CHROME, '2025-03-03T10:40:00Z');
const ALICE = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'console-login-from-several-networks',
  title: 'One person signed in from two networks with two browsers',
  description:
    'Within an hour the same user, or the same session name of a federated role, signed in to the console from two networks (the first half of an IPv4 address, the first two groups of an IPv6 one) and with two browsers. A person who turns a VPN on or off keeps the browser; a thief brings another one.',
  severity: 'medium',
  severityReason: 'A password in two hands, or a person with a telephone; both happen.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access'],
  when: {
    event_source: 'signin.amazonaws.com',
    event_name: 'ConsoleLogin',
    outcome: 'success',
    source_ip: { exists: true },
  },
  sql: `-- One row per person and hour with a sign-in from another network and browser than the sign-in before.
WITH logins AS (
  SELECT c.account_id, c.principal, coalesce(c.session_name, '') AS session_name, c.event_time, c.event_id, c.principal_arn, c.aws_region, c.source_ip,
    coalesce(c.user_agent, '') AS user_agent
  FROM cloudtrail AS c
), pairs AS (
  SELECT l.account_id, l.principal, l.session_name, l.event_time, l.event_id, l.principal_arn, l.aws_region, l.source_ip, l.user_agent,
    lag(l.event_time) OVER w AS last_time, lag(l.event_id) OVER w AS last_id, lag(l.source_ip) OVER w AS last_ip, lag(l.user_agent) OVER w AS last_agent
  FROM logins AS l
  WINDOW w AS (PARTITION BY l.account_id, l.principal, l.session_name ORDER BY l.event_time, l.event_id)
), turns AS (
  SELECT p.*, regexp_extract(p.source_ip, '^([0-9]+[.][0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*)') AS network, regexp_extract(p.last_ip, '^([0-9]+[.][0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*)') AS last_network
  FROM pairs AS p
  WHERE p.user_agent <> p.last_agent AND p.last_time > date_add('minute', 0 - :minutes, p.event_time)
)
SELECT date_trunc('hour', t.event_time) AS slot, t.account_id, t.principal, t.session_name, min(t.principal_arn) AS principal_arn,
  min(t.aws_region) AS aws_region, min(t.source_ip) AS source_ip, min(t.last_ip) AS last_ip, min(t.user_agent) AS user_agent,
  min(t.last_time) AS first_seen, max(t.event_time) AS last_seen, count(*) + 1 AS count,
  array_union(array_agg(t.last_id ORDER BY t.event_time, t.event_id), array_agg(t.event_id ORDER BY t.event_time, t.event_id)) AS event_ids
FROM turns AS t
WHERE t.network <> t.last_network
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  lookback: '6h',
  slot: '1h',
  subject: ['account_id', 'principal', 'session_name'],
  summary:
    '{principal} {session_name} signed in from {source_ip} with {user_agent}, shortly after {last_ip} with another browser',
  parameters: {
    minutes: z
      .int()
      .min(1)
      .max(360)
      .default(60)
      .describe('minutes between the two sign-ins; nobody travels far in an hour'),
  },
  falsePositives: [
    'A person with a telephone in one network and a computer in another.',
    'A user that several people share.',
  ],
  blindSpots: [
    'Two networks of one country look like any two: which country and provider they belong to needs enrichment of addresses.',
    'A thief with the same browser, or in the same network.',
    'Sign-ins to IAM Identity Center, which are events of another service.',
  ],
  response: [
    'Run the saved question logins for the principal, and address-activity for source_ip.',
    'Ask the person; end the sessions and change the password if one of the two is not theirs.',
  ],
  examples: [
    {
      name: 'two networks, two browsers, forty minutes',
      records: [atHome, far],
      alerts: [{ subject: { ...ALICE, session_name: '' }, count: 2 }],
    },
    {
      name: 'by IPv6 from two networks',
      records: [
        { ...atHome, sourceIPAddress: '2001:db8:1::7' },
        { ...far, sourceIPAddress: '2001:db9:1::7' },
      ],
      alerts: [{ subject: ALICE, count: 2 }],
    },
    {
      name: 'nearly an hour, with a sign-in from no address in between',
      records: [
        atHome,
        { ...atHome, eventTime: '2025-03-03T10:20:00Z', sourceIPAddress: 'AWS Internal' },
        { ...far, eventTime: '2025-03-03T10:59:30Z' },
      ],
      alerts: [{ subject: ALICE, count: 2 }],
    },
    { name: 'a VPN is turned on: one browser', records: [atHome, { ...far, userAgent: FIREFOX }], alerts: [] },
    { name: 'another browser in one network', records: [atHome, { ...far, sourceIPAddress: '192.0.9.1' }], alerts: [] },
    {
      name: 'in one network by IPv6',
      records: [
        { ...atHome, sourceIPAddress: '2001:db8:1::7' },
        { ...far, sourceIPAddress: '2001:db8:2::8' },
      ],
      alerts: [],
    },
    { name: 'an hour later', records: [atHome, { ...far, eventTime: '2025-03-03T11:00:00Z' }], alerts: [] },
    {
      name: 'two people who share a role, and one of them twice',
      records: [
        { ...atHome, ...saml('alice') },
        { ...far, ...saml('bob') },
        { ...atHome, ...saml('bob'), eventTime: '2025-03-03T10:50:00Z' },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:role/Operators', session_name: 'bob' }, count: 2 }],
    },
    {
      name: 'a sign-in that failed, one from nowhere, another event, or another service',
      records: [
        atHome,
        { ...far, responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' },
        { ...far, sourceIPAddress: 'AWS Internal' },
        { ...far, eventName: 'SwitchRole' },
        { ...far, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
