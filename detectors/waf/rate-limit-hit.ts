/** A rate-based rule stepped in. */
import { defineDetector } from '../../src/detector.ts';

const limited = { action: 'BLOCK', terminatingRuleId: 'limit-per-address', terminatingRuleType: 'RATE_BASED' };

export const detector = defineDetector({
  id: 'rate-limit-hit',
  title: 'A limit of rate was hit',
  description:
    'A rate-based rule stopped requests, or asked for a sign of life, since too many came with the same key.',
  severity: 'low',
  severityReason: 'The rule did its work; of interest is who was stopped.',
  table: 'waf',
  // https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
  attack: [
    { technique: 'T1498', version: 16 },
    { technique: 'T1499', version: 16 },
  ],
  tags: ['impact'],
  when: { terminating_rule_type: 'RATE_BASED' },
  slot: '1d',
  subject: ['web_acl_id', 'terminating_rule_id'],
  summary:
    '{terminating_rule_id} of {web_acl_name} stopped {count} requests, first {http_method} {host}{uri} from {client_ip} ({country})',
  falsePositives: ['Many people behind one address.', 'A limit that is too low.'],
  blindSpots: ['Rate-based rules that only count.', 'Load that is spread over more addresses than the limit can see.'],
  response: ['Run the saved question waf-requests-of-address for the busiest addresses.'],
  examples: [
    {
      name: 'stopped, then asked for a sign of life',
      records: [
        { repeat: 20, every: '1s', record: limited },
        { ...limited, action: 'CHALLENGE' },
      ],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            terminating_rule_id: 'limit-per-address',
          },
          count: 21,
        },
      ],
    },
    { name: 'blocked for another reason', records: [{ ...limited, terminatingRuleType: 'REGULAR' }], alerts: [] },
  ],
});
