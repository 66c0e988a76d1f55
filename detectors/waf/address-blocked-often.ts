/** One address is blocked again and again. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const blocked = { action: 'BLOCK', terminatingRuleId: 'sqli', httpRequest: { uri: '/search', args: "q='" } };
const many = (change: object = {}, repeat = 500) =>
  ({ repeat, every: '1s', record: { ...blocked, ...change } }) as const;

export const detector = defineDetector({
  id: 'address-blocked-often',
  title: 'An address was blocked again and again',
  description:
    'Blocked requests of one address in a sliding window. Limits of rate are left out, since they block until somebody slows down: rate-limit-hit.',
  severity: 'low',
  severityReason: 'All was blocked, and every public site sees it daily.',
  table: 'waf',
  attack: [
    { technique: 'T1595.002', version: 16 },
    { technique: 'T1499', version: 16 },
  ],
  tags: ['reconnaissance'],
  when: { all: [{ action: 'BLOCK' }, { not: { terminating_rule_type: 'RATE_BASED' } }] },
  threshold: { atLeast: parameter('requests'), within: '10m' },
  slot: '1d',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) was blocked {count} times by {web_acl_name}, first by {terminating_rule_id} for {http_method} {host}{uri}, with {user_agent}',
  parameters: {
    requests: z
      .int()
      .min(1)
      .default(500)
      .describe('blocked requests in ten minutes; a page that a rule misunderstands makes some tens'),
  },
  falsePositives: ['A program of your own that a rule misunderstands.'],
  blindSpots: ['Attacks from many addresses: fingerprint-over-many-addresses and rule-blocks-above-usual.'],
  response: ['Run the saved question waf-requests-of-address for source_ip: was anything let pass.'],
  examples: [
    {
      name: 'five hundred in eight minutes',
      records: [many()],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 500,
        },
      ],
    },
    { name: 'one request fewer', records: [many({}, 499)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(), every: '2m' }], alerts: [] },
    { name: 'as many that are allowed', records: [many({ action: 'ALLOW' })], alerts: [] },
    { name: 'too fast, and nothing else', records: [many({ terminatingRuleType: 'RATE_BASED' })], alerts: [] },
  ],
});
