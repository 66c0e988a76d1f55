/** One person signs in to the console from several countries within an hour. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const login = (sourceIPAddress: string, userName = 'Alice') => ({
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  sourceIPAddress,
  userIdentity: {
    type: 'IAMUser',
    accountId: '111122223333',
    arn: `arn:aws:iam::111122223333:user/${userName}`,
    userName,
  },
  responseElements: { ConsoleLogin: 'Success' },
});
const known = {
  addresses: {
    '192.0.2.10': { country: 'DE' },
    '192.0.2.11': { country: 'DE' },
    '203.0.113.9': { country: 'BR' },
    '198.51.100.7': { network: 'vpn' },
  },
};
const alice = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'console-login-from-several-countries',
  title: 'One person signed in from several countries within an hour',
  description:
    'Counts the countries from which one user or role signed in to the console. It needs a database of countries (enrichment.mmdb.country in the config) and is silent without one. Addresses of which the database knows no country do not count.',
  severity: 'high',
  severityReason: 'Nobody is in two countries within an hour; a second person, or a proxy, has the password.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'network'],
  when: { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', outcome: 'success' },
  threshold: { atLeast: parameter('countries'), distinct: 'source_country', within: '1h' },
  slot: '1h',
  subject: ['account_id', 'principal', 'session_name'],
  summary:
    '{principal}{session_name} signed in from {peak} countries within an hour, first from {source_ip} in {source_country}',
  parameters: {
    countries: z.int().min(2).default(2).describe('countries; raise it where people leave through proxies in several'),
  },
  falsePositives: [
    'A VPN or a phone abroad beside the desk at home.',
    'A role without session names that many people share.',
    'A database that places an address wrongly, which happens near borders and with mobile networks.',
  ],
  blindSpots: [
    'Silent without a database of countries.',
    'An intruder who signs in from the same country.',
    'Sessions that are used without a sign-in: session-used-from-several-networks looks at those.',
  ],
  response: [
    'Ask the person which of the sign-ins was theirs.',
    'List the calls of the principal from each source_ip after it signed in.',
  ],
  examples: [
    {
      name: 'two countries within minutes',
      records: [login('192.0.2.10'), login('203.0.113.9')],
      known,
      alerts: [{ subject: alice, count: 2, peak: 2 }],
    },
    { name: 'two addresses of one country', records: [login('192.0.2.10'), login('192.0.2.11')], known, alerts: [] },
    {
      name: 'an address of which no country is known',
      records: [login('192.0.2.10'), login('198.51.100.7')],
      known,
      alerts: [],
    },
    { name: 'two people', records: [login('192.0.2.10'), login('203.0.113.9', 'Bob')], known, alerts: [] },
    {
      name: 'the second one hours later',
      records: [
        { ...login('192.0.2.10'), eventTime: '2025-03-03T08:00:00Z' },
        { ...login('203.0.113.9'), eventTime: '2025-03-03T11:00:00Z' },
      ],
      known,
      alerts: [],
    },
    {
      name: 'the other one failed, or was no sign-in to the console',
      records: [
        login('192.0.2.10'),
        {
          ...login('203.0.113.9'),
          responseElements: { ConsoleLogin: 'Failure' },
          errorMessage: 'Failed authentication',
        },
        { ...login('203.0.113.9'), eventName: 'CheckMfa', responseElements: { CheckMfa: 'Success' } },
        { ...login('203.0.113.9'), eventSource: 'example.amazonaws.com' },
      ],
      known,
      alerts: [],
    },
  ],
});
