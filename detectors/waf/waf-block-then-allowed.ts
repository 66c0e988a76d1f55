/** Blocked several times on a page, an address gets through on the same page. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const request = {
  ja4Fingerprint: 't13d1516h2_8daaf6152771_b0da82dd1658',
  httpRequest: { uri: '/api/items', args: 'id=1' },
};

export const detector = defineDetector({
  id: 'waf-block-then-allowed',
  title: 'Requests to a page were blocked, then one was allowed',
  description:
    'An address is blocked on one page again and again, and then a request of it to the same page passes within ten minutes: it may have found a way around the rule.',
  severity: 'high',
  severityReason: 'Somebody may have found a form of the attack that the rules do not know.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['web', 'initial-access'],
  sequence: {
    steps: [{ when: { action: 'BLOCK' }, atLeast: parameter('blocks') }, { action: 'ALLOW' }],
    by: ['web_acl_id', 'source_ip', 'uri'],
    within: '10m',
  },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary: '{source_ip} was blocked on {uri} of {host} and then allowed ({count} requests)',
  parameters: {
    blocks: z
      .int()
      .min(1)
      .default(5)
      .describe('blocked requests before the one that passed; a person gives up after a few'),
  },
  falsePositives: ['A rate limit that ended, or a form that was refused until a field was corrected.'],
  blindSpots: [
    'An attacker who comes back from another address: waf-block-then-allowed-fingerprint.',
    'A way around the rule through another page.',
  ],
  response: ['Compare args and headers of the last blocked request with those of the one that passed.'],
  examples: [
    {
      name: 'five are blocked, the sixth passes',
      records: [{ repeat: 5, every: '10s', record: { ...request, action: 'BLOCK' } }, request],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 6 }],
    },
    {
      name: 'one fewer is blocked',
      records: [{ repeat: 4, every: '10s', record: { ...request, action: 'BLOCK' } }, request],
      alerts: [],
    },
    {
      name: 'none passes',
      records: [{ repeat: 9, every: '10s', record: { ...request, action: 'BLOCK' } }],
      alerts: [],
    },
    { name: 'none is blocked', records: [{ repeat: 9, every: '10s', record: request }], alerts: [] },
    {
      name: 'another page passes',
      records: [
        { repeat: 5, every: '10s', record: { ...request, action: 'BLOCK' } },
        { ...request, httpRequest: { ...request.httpRequest, uri: '/' } },
      ],
      alerts: [],
    },
  ],
});
