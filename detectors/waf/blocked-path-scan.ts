/** One address is blocked at many different paths. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const probe = (index: number) => ({
  action: 'BLOCK',
  terminatingRuleId: 'core',
  httpRequest: { uri: `/backup-${index}.zip` },
});
const many = (record: (index: number) => object, repeat = 50) =>
  ({ repeat, every: '2s', record: (index: number) => ({ ...record(index) }) }) as const;

export const detector = defineDetector({
  id: 'blocked-path-scan',
  title: 'A site was scanned',
  description: 'One address was blocked at many different paths within ten minutes: a scanner with a list.',
  severity: 'low',
  severityReason:
    'Every public site is scanned daily, and this one was blocked; what got through is told by allowed-after-blocks.',
  table: 'waf',
  attack: [
    { technique: 'T1595.002', version: 16 },
    { technique: 'T1595.003', version: 16 },
  ],
  tags: ['reconnaissance'],
  when: { action: 'BLOCK' },
  threshold: { atLeast: parameter('paths'), distinct: 'uri', within: '10m' },
  slot: '1d',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) was blocked at {peak} paths of {web_acl_name} within ten minutes, first {host}{uri}, with {user_agent}',
  parameters: {
    paths: z
      .int()
      .min(2)
      .default(50)
      .describe('distinct paths in ten minutes; a person who is kept out by country sees a few'),
  },
  falsePositives: ['A scan that you ordered.', 'A crawler from a country that is blocked.'],
  blindSpots: ['Scanners that are let pass.', 'Slow scans, and scans from many addresses.'],
  response: ['Run the saved question waf-requests-of-address for source_ip: was anything let pass.'],
  examples: [
    {
      name: 'fifty paths in two minutes',
      records: [many(probe)],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 50,
        },
      ],
    },
    { name: 'one path fewer', records: [many(probe, 49)], alerts: [] },
    { name: 'one path again and again', records: [many(() => probe(1), 200)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(probe), every: '20m' }], alerts: [] },
    { name: 'a visitor of many pages', records: [many((index) => ({ ...probe(index), action: 'ALLOW' }))], alerts: [] },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(probe), every: '11s' }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 50,
        },
      ],
    },
  ],
});
