/** A known way to run code was recognised and let pass, because the rule only counts. */
import { defineDetector } from '../../src/detector.ts';

const counted = {
  ruleGroupList: [
    {
      ruleGroupId: 'AWS#AWSManagedRulesKnownBadInputsRuleSet',
      terminatingRule: null,
      nonTerminatingMatchingRules: [{ ruleId: 'Log4JRCE_HEADER', action: 'COUNT', ruleMatchDetails: [] }],
      excludedRules: null,
    },
  ],
  labels: [{ name: 'awswaf:managed:aws:known-bad-inputs:Log4JRCE_Header' }],
  httpRequest: { uri: '/login', args: '' },
};

export const detector = defineDetector({
  id: 'known-bad-input-counted',
  title: 'A known exploit passed the web ACL',
  description:
    'The managed rules for known bad inputs recognised Log4Shell or a Java object that runs code when it is read, and the request was allowed: the rule was set to Count. One request is enough.',
  severity: 'high',
  severityReason: 'If what lies behind is vulnerable, somebody else runs code on it.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['initial-access'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
  when: {
    action: 'ALLOW',
    labels: {
      startswith: [
        'awswaf:managed:aws:known-bad-inputs:Log4JRCE',
        'awswaf:managed:aws:known-bad-inputs:JavaDeserializationRCE',
      ],
    },
  },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) made {count} such requests that {web_acl_name} let pass, first {http_method} {host}{uri}: {matched_rules}',
  falsePositives: ['A scan that you ordered.'],
  blindSpots: ['Web ACLs without this rule group: exploit-string-allowed looks for the text itself.'],
  response: [
    'Run the saved question waf-requests-of-address for source_ip: what came before and after.',
    'Set the rule to Block, or write down why it must count.',
    'Look for connections that the servers behind opened to addresses they never called.',
  ],
  examples: [
    {
      name: 'the rule only counts, and the requests pass',
      records: [counted],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 1,
        },
      ],
    },
    {
      name: 'the rule blocks',
      records: [
        {
          ...counted,
          action: 'BLOCK',
          terminatingRuleId: 'AWSManagedRulesKnownBadInputsRuleSet',
          terminatingRuleType: 'MANAGED_RULE_GROUP',
        },
      ],
      alerts: [],
    },
    {
      name: 'other labels, and none',
      records: [
        { ...counted, labels: [{ name: 'awswaf:managed:aws:known-bad-inputs:Host_Localhost_Header' }] },
        { httpRequest: counted.httpRequest },
      ],
      alerts: [],
    },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        {
          ...counted,
          labels: [{ name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:known-bad-inputs:Log4JRCE_Header' }],
        },
      ],
      alerts: [],
    },
  ],
});
