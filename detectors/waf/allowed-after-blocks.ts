/** Somebody was blocked at one path several times, varied the request, and was let pass. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const request = (args: string, change: object = {}) => ({
  httpRequest: { uri: '/products', args, clientIp: '203.0.113.9' },
  ...change,
});
const blocked = { action: 'BLOCK', terminatingRuleId: 'sqli' };
const attempts = (change: object = blocked, repeat = 10) =>
  ({ repeat, every: '20s', record: request("id=1'--", change) }) as const;
const bypass = request('id=1%2527%2520or%25201');
const ALERT = [{ subject: { client_ip: '203.0.113.9', uri: '/products' } }];

export const detector = defineDetector({
  id: 'allowed-after-blocks',
  title: 'A request was let pass where its author had been blocked again and again',
  description:
    'Whoever is blocked varies the request until a rule no longer recognises it. Told is an address that was blocked several times at one path and then, within an hour, got a request with parameters or a body through to the same path. Limits of rate are left out: they let everybody pass again who slows down.',
  severity: 'high',
  severityReason: 'The rule may have been got round; whether the last request was an attack a person must read.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['initial-access'],
  sequence: {
    steps: [
      {
        when: { all: [{ action: 'BLOCK' }, { not: { terminating_rule_type: 'RATE_BASED' } }] },
        atLeast: parameter('blocks'),
      },
      { all: [{ action: 'ALLOW' }, { any: [{ args: { re: '.' } }, { http_method: ['POST', 'PUT', 'PATCH'] }] }] },
    ],
    by: ['web_acl_id', 'client_ip', 'uri'],
    within: '1h',
  },
  slot: '1h',
  subject: ['web_acl_id', 'client_ip', 'uri'],
  summary:
    '{client_ip} ({country}) was let pass at {uri} after being blocked there by {terminating_rule_id}, {count} requests in all with {user_agent}',
  parameters: {
    blocks: z
      .int()
      .min(1)
      .default(10)
      .describe(
        'blocked requests at the path before the allowed one; a form that a rule misunderstands is sent again a few times',
      ),
  },
  falsePositives: [
    'An editor whose text a rule misunderstands, until it is worded otherwise.',
    'A scanner that ends with a harmless request.',
  ],
  blindSpots: [
    'A bypass from another address: fingerprint-allowed-after-blocks.',
    'A bypass at another path.',
    'What the application answered: AWS WAF does not log it.',
  ],
  response: [
    'Run the saved question waf-requests-of-address for client_ip and read the allowed requests in order.',
    'Find them in the log of the load balancer by request_id: status and size tell whether the attack worked.',
  ],
  examples: [
    {
      name: 'after ten blocks an encoding gets through',
      records: [attempts(), bypass],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            client_ip: '203.0.113.9',
            uri: '/products',
          },
          count: 11,
        },
      ],
    },
    {
      name: 'after ten blocks a body gets through',
      records: [
        attempts(),
        { httpRequest: { uri: '/products', args: '', httpMethod: 'POST', clientIp: '203.0.113.9' } },
      ],
      alerts: ALERT,
    },
    {
      name: 'the operator asks for fewer blocks',
      records: [attempts(blocked, 2), bypass],
      alerts: ALERT,
      parameters: { blocks: 2 },
    },
    { name: 'one block fewer', records: [attempts(blocked, 9), bypass], alerts: [] },
    { name: 'let pass before, not after', records: [bypass, attempts()], alerts: [] },
    { name: 'nothing got through', records: [attempts(blocked, 30)], alerts: [] },
    { name: 'a visitor who was never blocked', records: [attempts({}, 30)], alerts: [] },
    { name: 'the page itself, without parameters', records: [attempts(), request('')], alerts: [] },
    {
      name: 'another address, another path, two hours later',
      records: [
        attempts(),
        { httpRequest: { ...bypass.httpRequest, clientIp: '203.0.113.10' } },
        { httpRequest: { ...bypass.httpRequest, uri: '/search' } },
        { repeat: 1, every: '1s', record: { ...bypass, timestamp: Date.UTC(2025, 1, 3, 12, 30) } },
      ],
      alerts: [],
    },
    {
      name: 'too fast, then slower',
      records: [attempts({ ...blocked, terminatingRuleType: 'RATE_BASED' }, 30), bypass],
      alerts: [],
    },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...attempts(), every: '380s' }, bypass],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            client_ip: '203.0.113.9',
            uri: '/products',
          },
          count: 11,
        },
      ],
    },
  ],
});
