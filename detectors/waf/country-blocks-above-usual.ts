/** Requests from one country are blocked many times as often as usual. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const hour = (repeat: number, day: number, change: object = {}) =>
  ({
    repeat,
    every: '1s',
    record: {
      action: 'BLOCK',
      terminatingRuleId: 'sqli',
      timestamp: Date.UTC(2025, 2, day, 9),
      httpRequest: { country: 'NL' },
      ...change,
    },
  }) as const;
const usual = Array.from({ length: 10 }, (_, index) => hour(20, index + 1));

export const detector = defineDetector({
  id: 'country-blocks-above-usual',
  title: 'Requests from one country were blocked far more than usual',
  description:
    'Blocked requests per country and hour, compared with the median of its own hours in the week before. Botnets have their focal points, and so have hosting providers.',
  severity: 'low',
  severityReason: 'All was blocked; it says where the attack comes from.',
  table: 'waf',
  attack: [
    { technique: 'T1499', version: 16 },
    { technique: 'T1595', version: 16 },
  ],
  tags: ['reconnaissance', 'baseline'],
  when: { action: 'BLOCK' },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('requests'), over: '7d' },
  slot: '1h',
  subject: ['web_acl_id', 'country'],
  summary:
    '{count} requests from {country} were blocked by {web_acl_name} in an hour, first {http_method} {host}{uri} from {client_ip}',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours in which requests of the country were blocked'),
    requests: z.int().min(1).default(2000).describe('blocked requests in the hour below which nothing is said'),
  },
  falsePositives: ['A rule by country that was just switched on.'],
  blindSpots: ['Silent until the web ACL has three days of log.', 'Attacks from the country of your customers.'],
  response: ['Run the saved question waf-requests-of-address for the busiest addresses of the country.'],
  examples: [
    {
      name: 'two thousand after twenty each day',
      records: [...usual, hour(2000, 11)],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            country: 'NL',
          },
          count: 2000,
        },
      ],
    },
    { name: 'one request fewer', records: [...usual, hour(1999, 11)], alerts: [] },
    {
      name: 'less than ten times as many',
      records: [hour(300, 1), hour(300, 9), hour(300, 10), hour(2000, 11)],
      alerts: [],
    },
    {
      name: 'the operator asks for less',
      records: [...usual, hour(60, 11)],
      alerts: [{ subject: { country: 'NL' }, count: 60 }],
      parameters: { times: 3, requests: 50 },
    },
    { name: 'there is no history yet', records: [hour(2000, 11)], alerts: [] },
    { name: 'a busy day without blocks', records: [...usual, hour(2000, 11, { action: 'ALLOW' })], alerts: [] },
  ],
});
