/** Requests for one path are blocked many times as often as usual. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const hour = (repeat: number, day: number, change: object = {}) =>
  ({
    repeat,
    every: '1s',
    record: {
      action: 'BLOCK',
      terminatingRuleId: 'sqli',
      timestamp: Date.UTC(2025, 2, day, 9),
      httpRequest: { uri: '/search' },
      ...change,
    },
  }) as const;
const usual = Array.from({ length: 10 }, (_, index) => hour(20, index + 1));

export const detector = defineDetector({
  id: 'path-blocks-above-usual',
  title: 'Requests for one path were blocked far more than usual',
  description:
    'Blocked requests per path and hour, compared with the median of its own hours in the week before: somebody has found a place that looks promising.',
  severity: 'low',
  severityReason: 'All was blocked; scanners hammer at single paths every day.',
  table: 'waf',
  attack: [
    { technique: 'T1595.002', version: 16 },
    { technique: 'T1499', version: 16 },
  ],
  tags: ['reconnaissance', 'baseline'],
  when: { action: 'BLOCK' },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('requests'), over: '7d' },
  slot: '1h',
  subject: ['web_acl_id', 'uri'],
  summary:
    '{count} requests for {uri} were blocked in an hour, first by {terminating_rule_id} from {client_ip} ({country})',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours in which requests for the path were blocked'),
    requests: z.int().min(1).default(1000).describe('blocked requests in the hour below which nothing is said'),
  },
  falsePositives: ['A form of your own that a rule misunderstands, on a busy day.'],
  blindSpots: [
    'Silent until the web ACL has three days of log.',
    'Paths with a number in them, each of which is another one.',
  ],
  response: ['Run the saved question waf-blocked-then-allowed: did a request for the path get through.'],
  examples: [
    {
      name: 'a thousand after twenty each day',
      records: [...usual, hour(1000, 11)],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            uri: '/search',
          },
          count: 1000,
        },
      ],
    },
    { name: 'one request fewer', records: [...usual, hour(999, 11)], alerts: [] },
    {
      name: 'less than ten times as many',
      records: [hour(150, 1), hour(150, 9), hour(150, 10), hour(1000, 11)],
      alerts: [],
    },
    {
      name: 'the operator asks for less',
      records: [...usual, hour(60, 11)],
      alerts: [{ subject: { uri: '/search' }, count: 60 }],
      parameters: { times: 3, requests: 50 },
    },
    { name: 'there is no history yet', records: [hour(1000, 11)], alerts: [] },
    { name: 'a busy day without blocks', records: [...usual, hour(1000, 11, { action: 'ALLOW' })], alerts: [] },
  ],
});
