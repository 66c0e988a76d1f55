/** A rule blocks many times as many requests as it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const blocked = { action: 'BLOCK', terminatingRuleId: 'block-bad-inputs', timestamp: Date.UTC(2025, 2, 11, 9) };
const hour = (repeat: number, day: number, change: object = {}) =>
  ({ repeat, every: '1s', record: { ...blocked, timestamp: Date.UTC(2025, 2, day, 9), ...change } }) as const;
const usual = Array.from({ length: 10 }, (_, index) => hour(50, index + 1));

export const detector = defineDetector({
  id: 'rule-blocks-above-usual',
  title: 'A rule blocked far more than usual',
  description:
    'Requests that each rule of a web ACL blocked in an hour, compared with the median of its own hours in the week before. The noise of the internet is in the median; an attack on you is not.',
  severity: 'medium',
  severityReason: 'All was blocked, but somebody has begun to work on this site, or a new rule keeps customers out.',
  table: 'waf',
  attack: [
    { technique: 'T1499', version: 16 },
    { technique: 'T1595.002', version: 16 },
  ],
  tags: ['impact', 'baseline'],
  when: { action: 'BLOCK' },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('requests'), over: '7d' },
  slot: '1h',
  subject: ['web_acl_id', 'terminating_rule_id'],
  summary:
    '{terminating_rule_id} of {web_acl_name} blocked {count} requests in an hour, first {http_method} {host}{uri} from {client_ip} ({country})',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours in which the rule blocked anything'),
    requests: z
      .int()
      .min(1)
      .default(2000)
      .describe(
        'blocked requests in the hour below which nothing is said; one scanner that passes by makes some hundreds',
      ),
  },
  falsePositives: ['A rule that was changed and now blocks customers.', 'A scan that you ordered.'],
  blindSpots: ['Silent until the web ACL has three days of log.', 'Requests that are not blocked.'],
  response: [
    'Run the saved question waf-requests-of-address for the busiest addresses, and waf-blocked-then-allowed for what got through.',
  ],
  examples: [
    {
      name: 'two thousand after fifty each day',
      records: [...usual, hour(2000, 11)],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            terminating_rule_id: 'block-bad-inputs',
          },
          count: 2000,
        },
      ],
    },
    {
      name: 'a new rule starts with a storm',
      records: [...usual, hour(2000, 11, { terminatingRuleId: 'geo' })],
      alerts: [{ subject: { terminating_rule_id: 'geo' }, count: 2000 }],
    },
    { name: 'one request fewer', records: [...usual, hour(1999, 11)], alerts: [] },
    {
      name: 'less than ten times as many',
      records: [hour(300, 1), hour(300, 9), hour(300, 10), hour(2000, 11)],
      alerts: [],
    },
    {
      name: 'the operator asks for less',
      records: [...usual, hour(150, 11)],
      alerts: [{ subject: { terminating_rule_id: 'block-bad-inputs' }, count: 150 }],
      parameters: { times: 3, requests: 100 },
    },
    { name: 'there is no history yet', records: [hour(2000, 11)], alerts: [] },
    { name: 'a busy day without blocks', records: [...usual, hour(2000, 11, { action: 'ALLOW' })], alerts: [] },
  ],
});
