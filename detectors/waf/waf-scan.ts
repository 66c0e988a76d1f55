/** One address is blocked on many different pages. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

export const detector = defineDetector({
  id: 'waf-scan',
  title: 'One address was blocked on many pages',
  description:
    'A scanner asks for everything that could be there. Counts the different paths on which one address was blocked in a sliding window.',
  severity: 'medium',
  severityReason: 'The web ACL stopped what it recognised; the scanner goes on with what it does not.',
  table: 'waf',
  attack: [{ technique: 'T1595.002', version: 16 }],
  tags: ['web', 'reconnaissance'],
  when: { action: 'BLOCK' },
  threshold: { atLeast: parameter('paths'), distinct: 'uri', within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary: '{source_ip} was blocked on {peak} pages of {host}, first {uri}',
  parameters: {
    paths: z
      .int()
      .min(2)
      .default(30)
      .describe('different paths in ten minutes; a person who is blocked does not try thirty pages'),
  },
  falsePositives: ['A penetration test, and people behind one address that is on a block list.'],
  blindSpots: ['Scans spread over many addresses, or slower than this.', 'What is allowed: waf-attack-rule-passed.'],
  response: ['Look at what the same address was allowed: `trailhound query run waf-requests-of-address`.'],
  examples: [
    {
      name: 'thirty pages in five minutes',
      records: [
        {
          repeat: 30,
          every: '10s',
          record: (index: number) => ({ action: 'BLOCK', httpRequest: { uri: `/p${index}.php` } }),
        },
      ],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 30, peak: 30 }],
    },
    {
      name: 'one page fewer',
      records: [
        {
          repeat: 29,
          every: '10s',
          record: (index: number) => ({ action: 'BLOCK', httpRequest: { uri: `/p${index}.php` } }),
        },
      ],
      alerts: [],
    },
    {
      name: 'one page, again and again',
      records: [{ repeat: 60, every: '5s', record: { action: 'BLOCK', httpRequest: { uri: '/a' } } }],
      alerts: [],
    },
    {
      name: 'a crawler that is allowed',
      records: [{ repeat: 60, every: '5s', record: (index: number) => ({ httpRequest: { uri: `/p${index}.php` } }) }],
      alerts: [],
    },
  ],
});
