/** AWS WAF saw an event of denial of service. */
import { defineDetector } from '../../src/detector.ts';

export const detector = defineDetector({
  id: 'waf-ddos-event',
  title: 'A denial of service event was seen',
  description: 'The managed group against denial of service labels requests while it takes the traffic for an attack.',
  severity: 'low',
  severityReason: 'The group handles the event by itself; it tells that the site is a target.',
  table: 'waf',
  attack: [{ technique: 'T1498', version: 16 }],
  tags: ['web', 'impact'],
  when: { labels: { startswith: 'awswaf:managed:aws:anti-ddos:event-detected' } },
  slot: '1h',
  subject: ['web_acl_id'],
  summary: 'A denial of service event at {host}: {count} labelled requests, first from {source_ip}',
  falsePositives: ['A campaign or a sale that brings far more people than usual.'],
  blindSpots: ['Web ACLs without the managed group against denial of service.'],
  response: ['Look at the addresses, countries and ja4_fingerprint values that most of the labelled requests share.'],
  examples: [
    {
      name: 'requests of an event',
      records: [
        { repeat: 3, every: '1s', record: { labels: [{ name: 'awswaf:managed:aws:anti-ddos:event-detected' }] } },
      ],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
          },
          count: 3,
        },
      ],
    },
    {
      name: 'another label of the group',
      records: [{ labels: [{ name: 'awswaf:managed:aws:anti-ddos:challengeable-request' }] }],
      alerts: [],
    },
  ],
});
