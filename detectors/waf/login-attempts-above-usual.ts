/** A sign-in path gets many times as many sign-ins as it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const hour = (repeat: number, day: number, change: object = {}, http: object = {}) =>
  ({
    repeat,
    every: '1s',
    record: (index: number) => ({
      ...(index === 0 ? { timestamp: Date.UTC(2025, 2, day, 9) } : {}),
      ...change,
      httpRequest: { uri: '/api/login', httpMethod: 'POST', clientIp: `198.51.100.${index % 250}`, ...http },
    }),
  }) as const;
const usual = Array.from({ length: 10 }, (_, index) => hour(60, index + 1));

export const detector = defineDetector({
  id: 'login-attempts-above-usual',
  title: 'A sign-in path was used far more than usual',
  description:
    'Sign-ins per path and hour that AWS WAF let pass, from whatever address, compared with the median of its own hours in the week before. Lists of leaked passwords are tried from thousands of addresses, a few times from each.',
  severity: 'medium',
  severityReason: 'Passwords are being tried at scale, or the whole company signs in again after an outage.',
  table: 'waf',
  attack: [{ technique: 'T1110.004', version: 16 }],
  tags: ['credential-access', 'baseline'],
  when: { action: 'ALLOW', http_method: 'POST', uri: { re: parameter('paths') } },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('attempts'), over: '7d' },
  slot: '1h',
  subject: ['web_acl_id', 'uri'],
  summary:
    '{count} sign-ins reached {host}{uri} in an hour, far above its usual, first from {client_ip} ({country}) with {user_agent}',
  parameters: {
    times: z.number().min(1).default(5).describe('multiple of the median of the hours in which anybody signed in'),
    attempts: z.int().min(1).default(1000).describe('sign-ins in the hour below which nothing is said'),
    paths: z
      .string()
      .default('(?i)/(log-?in|log-?on|sign-?in|authenticate|sessions?|wp-login[.]php|oauth2?/token|users/sign_in)/?$')
      .describe('RE2 pattern of paths to which sign-ins are sent'),
  },
  falsePositives: ['A sale, or sessions that were all ended at once.'],
  blindSpots: [
    'Silent until the web ACL has three days of log.',
    'Slow attempts that stay within the usual.',
    'Whether a password was right: only the application knows.',
  ],
  response: [
    'Look for what the attempts share: ja4_fingerprint, user_agent, client_asn, country.',
    'Compare with failed sign-ins in the log of the application.',
  ],
  examples: [
    {
      name: 'a thousand after sixty each day',
      records: [...usual, hour(1000, 11)],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            uri: '/api/login',
          },
          count: 1000,
        },
      ],
    },
    { name: 'one attempt fewer', records: [...usual, hour(999, 11)], alerts: [] },
    {
      name: 'less than five times as many',
      records: [hour(300, 1), hour(300, 9), hour(300, 10), hour(1000, 11)],
      alerts: [],
    },
    {
      name: 'the operator asks for less',
      records: [...usual, hour(150, 11)],
      alerts: [{ subject: { uri: '/api/login' }, count: 150 }],
      parameters: { times: 2, attempts: 100 },
    },
    { name: 'there is no history yet', records: [hour(1000, 11)], alerts: [] },
    {
      name: 'blocked, looked at, or another form',
      records: [
        ...usual,
        hour(1000, 11, { action: 'BLOCK' }),
        { ...hour(1000, 12, {}, { httpMethod: 'GET' }) },
        hour(1000, 13, {}, { uri: '/api/cart' }),
      ],
      alerts: [],
    },
  ],
});
