/** The managed rules against DDoS say that an attack is on. */
import { defineDetector } from '../../src/detector.ts';

const during = {
  labels: [
    { name: 'awswaf:managed:aws:anti-ddos:event-detected' },
    { name: 'awswaf:managed:aws:anti-ddos:medium-suspicion-ddos-request' },
  ],
};

export const detector = defineDetector({
  id: 'ddos-event',
  title: 'AWS WAF saw a DDoS attack',
  description:
    'While the managed rules against DDoS hold traffic for an attack, they label every request of the protected resource.',
  severity: 'low',
  severityReason: 'The rule group already acts; a campaign that brings many visitors can look the same.',
  table: 'waf',
  attack: [{ technique: 'T1499', version: 16 }],
  tags: ['impact'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-anti-ddos.html
  when: { labels: 'awswaf:managed:aws:anti-ddos:event-detected' },
  slot: '1h',
  subject: ['web_acl_id', 'http_source_id'],
  summary:
    '{count} requests reached {http_source_id} while {web_acl_name} saw a DDoS attack, first {http_method} {host}{uri} from {client_ip}',
  falsePositives: ['A sale, a television spot, a test under load.'],
  blindSpots: ['Web ACLs without AWSManagedRulesAntiDDoSRuleSet.', 'Attacks on lower layers, which AWS Shield sees.'],
  response: [
    'Run the saved question waf-blocked-then-allowed; look at which uri and country the requests with high suspicion share.',
  ],
  examples: [
    {
      name: 'an attack of a minute',
      records: [{ repeat: 30, every: '2s', record: during }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            http_source_id: '111122223333-app/shop/0123456789abcdef',
          },
          count: 30,
        },
      ],
    },
    {
      name: 'no attack is on',
      records: [
        {
          repeat: 30,
          every: '2s',
          record: { labels: [{ name: 'awswaf:managed:aws:anti-ddos:challengeable-request' }] },
        },
      ],
      alerts: [],
    },
  ],
});
