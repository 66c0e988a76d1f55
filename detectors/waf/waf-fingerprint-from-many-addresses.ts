/** One client is blocked from many addresses. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const from = (index: number) => ({
  action: 'BLOCK',
  ja4Fingerprint: 't13d1812h1_85036bcba153_d41ae481755e',
  httpRequest: { clientIp: `198.51.100.${index + 1}` },
});

export const detector = defineDetector({
  id: 'waf-fingerprint-from-many-addresses',
  title: 'One client was blocked from many addresses',
  description:
    'A tool that changes its address keeps its TLS fingerprint. Counts the addresses from which requests with one JA4 were blocked.',
  severity: 'medium',
  severityReason: 'Somebody takes pains not to be recognised.',
  table: 'waf',
  attack: [{ technique: 'T1090', version: 16 }],
  tags: ['web'],
  when: { action: 'BLOCK', ja4_fingerprint: { exists: true } },
  threshold: { atLeast: parameter('addresses'), distinct: 'source_ip', within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'ja4_fingerprint'],
  summary: 'Client {ja4_fingerprint} was blocked from {peak} addresses, first {source_ip} on {uri} of {host}',
  parameters: {
    addresses: z
      .int()
      .min(2)
      .default(25)
      .describe('addresses in ten minutes; only blocked requests count, because browsers share fingerprints'),
  },
  falsePositives: ['A rule that blocks a whole country or a page blocks the browsers of everybody there.'],
  blindSpots: [
    'Web ACLs whose log has no JA4: those before API Gateway and AppSync.',
    'Tools that change their fingerprint too.',
  ],
  response: ['Add the fingerprint to a rule; look at what the same client was allowed.'],
  examples: [
    {
      name: 'twenty-five addresses in five minutes',
      records: [{ repeat: 25, every: '10s', record: from }],
      alerts: [{ subject: { ja4_fingerprint: 't13d1812h1_85036bcba153_d41ae481755e' }, count: 25, peak: 25 }],
    },
    { name: 'one fewer', records: [{ repeat: 24, every: '10s', record: from }], alerts: [] },
    {
      name: 'all of them are allowed',
      records: [{ repeat: 25, every: '10s', record: (index: number) => ({ ...from(index), action: 'ALLOW' }) }],
      alerts: [],
    },
    {
      name: 'no fingerprint is known',
      records: [{ repeat: 25, every: '10s', record: (index: number) => ({ ...from(index), ja4Fingerprint: null }) }],
      alerts: [],
    },
  ],
});
