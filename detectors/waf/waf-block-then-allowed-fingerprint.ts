/** Blocked several times on a page, a client gets through on the same page, whatever its address. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const request = {
  ja4Fingerprint: 't13d1516h2_8daaf6152771_b0da82dd1658',
  httpRequest: { uri: '/api/items', args: 'id=1' },
};

export const detector = defineDetector({
  id: 'waf-block-then-allowed-fingerprint',
  title: 'A client was blocked on a page, then allowed from any address',
  description:
    'The same TLS client (JA4) is blocked on one page again and again, and then passes on the same page within ten minutes. Clients of one kind share a fingerprint, so the page is part of what must agree.',
  severity: 'high',
  severityReason: 'Somebody may have found a form of the attack that the rules do not know.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['web', 'initial-access'],
  sequence: {
    steps: [{ when: { action: 'BLOCK' }, atLeast: parameter('blocks') }, { action: 'ALLOW' }],
    by: ['web_acl_id', 'ja4_fingerprint', 'uri'],
    within: '10m',
  },
  slot: '1h',
  subject: ['web_acl_id', 'ja4_fingerprint'],
  summary:
    'Client {ja4_fingerprint} was blocked on {uri} of {host} and then allowed, first from {source_ip} ({count} requests)',
  parameters: {
    blocks: z
      .int()
      .min(1)
      .default(5)
      .describe('blocked requests before the one that passed; a person gives up after a few'),
  },
  falsePositives: ['A rate limit that ended, or a form that was refused until a field was corrected.'],
  blindSpots: [
    'Web ACLs whose log has no JA4: those before API Gateway and AppSync.',
    'Common browsers share a fingerprint: on a busy page the two may be different people.',
  ],
  response: ['Compare args and headers of the last blocked request with those of the one that passed.'],
  examples: [
    {
      name: 'five are blocked, the sixth passes',
      records: [{ repeat: 5, every: '10s', record: { ...request, action: 'BLOCK' } }, request],
      alerts: [{ subject: { ja4_fingerprint: 't13d1516h2_8daaf6152771_b0da82dd1658' }, count: 6 }],
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
