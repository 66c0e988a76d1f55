/** A rate-based rule stopped an address. */
import { defineDetector } from '../../src/detector.ts';

export const detector = defineDetector({
  id: 'waf-rate-limit-reached',
  title: 'An address reached a rate limit',
  description: 'A rate-based rule of the web ACL ended requests of an address: it sent more than the limit allows.',
  severity: 'low',
  severityReason: 'The limit did its work.',
  table: 'waf',
  attack: [{ technique: 'T1498', version: 16 }],
  tags: ['web'],
  when: { terminating_rule_type: 'RATE_BASED' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip', 'terminating_rule_id'],
  summary: '{source_ip} reached the limit of {terminating_rule_id} at {host}: {count} requests ended with {action}',
  falsePositives: ['A script of a customer, or many people behind one address.'],
  blindSpots: ['Limits that only count.'],
  response: ['Raise the limit if these are customers; else look at what the address asked for before.'],
  examples: [
    {
      name: 'a limit is reached',
      records: [
        {
          repeat: 3,
          every: '1s',
          record: { action: 'BLOCK', terminatingRuleType: 'RATE_BASED', terminatingRuleId: 'limit' },
        },
      ],
      alerts: [{ subject: { source_ip: '192.0.2.44', terminating_rule_id: 'limit' }, count: 3 }],
    },
    {
      name: 'another rule blocks',
      records: [{ action: 'BLOCK', terminatingRuleType: 'REGULAR', terminatingRuleId: 'x' }],
      alerts: [],
    },
  ],
});
