/** One address sends one sign-in after the other. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const login = { httpRequest: { uri: '/api/login', httpMethod: 'POST' } };
const many = (record: object = login, repeat = 200) => ({ repeat, every: '2s', record: { ...record } }) as const;

export const detector = defineDetector({
  id: 'login-attempts-from-address',
  title: 'One address tried to sign in again and again',
  description:
    'Requests to a sign-in path from one address that AWS WAF let pass, in a sliding window. With passwords that leaked elsewhere one in a few hundred fits.',
  severity: 'high',
  severityReason:
    'At this rate a program tries passwords, and nothing holds it up; an office behind one address stays below.',
  table: 'waf',
  attack: [
    { technique: 'T1110.004', version: 16 },
    { technique: 'T1110', version: 16 },
  ],
  tags: ['credential-access'],
  when: { action: 'ALLOW', http_method: 'POST', uri: { re: parameter('paths') } },
  threshold: { atLeast: parameter('attempts'), within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary: '{source_ip} ({country}) sent {peak} sign-ins within ten minutes to {host}{uri}, with {user_agent}',
  parameters: {
    attempts: z
      .int()
      .min(1)
      .default(200)
      .describe('sign-ins in ten minutes; a large office signs in slower, even in the morning'),
    paths: z
      .string()
      .default('(?i)/(log-?in|log-?on|sign-?in|authenticate|sessions?|wp-login[.]php|oauth2?/token|users/sign_in)/?$')
      .describe('RE2 pattern of paths to which sign-ins are sent'),
  },
  falsePositives: ['A partner whose program signs in for every call.', 'A test under load.'],
  blindSpots: [
    'Attempts from many addresses: login-attempts-above-usual.',
    'Whether a password was right: only the application knows.',
    'Sign-in paths with other names: set paths.',
  ],
  response: [
    'Run the saved question waf-requests-of-address for source_ip: requests to other paths after the sign-ins tell of success.',
    'Put a rate-based rule or account takeover prevention before the path.',
  ],
  examples: [
    {
      name: 'two hundred in seven minutes',
      records: [many()],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 200,
        },
      ],
    },
    {
      name: 'the sign-in of WordPress',
      records: [many({ httpRequest: { ...login.httpRequest, uri: '/blog/wp-login.php' } })],
      alerts: [{ subject: { source_ip: '192.0.2.44' } }],
    },
    { name: 'one attempt fewer', records: [many(login, 199)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(), every: '5m' }], alerts: [] },
    { name: 'blocked', records: [many({ ...login, action: 'BLOCK' })], alerts: [] },
    {
      name: 'the form is only looked at',
      records: [many({ httpRequest: { ...login.httpRequest, httpMethod: 'GET' } })],
      alerts: [],
    },
    { name: 'another form', records: [many({ httpRequest: { ...login.httpRequest, uri: '/api/cart' } })], alerts: [] },
  ],
});
