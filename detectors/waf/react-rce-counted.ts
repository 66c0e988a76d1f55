/** An attack on React server components was recognised and let pass, because the rule only counts. */
import { defineDetector } from '../../src/detector.ts';

const counted = {
  ruleGroupList: [
    {
      ruleGroupId: 'AWS#AWSManagedRulesKnownBadInputsRuleSet',
      terminatingRule: null,
      nonTerminatingMatchingRules: [{ ruleId: 'ReactJSRCE_BODY', action: 'COUNT', ruleMatchDetails: [] }],
      excludedRules: null,
    },
  ],
  labels: [{ name: 'awswaf:managed:aws:known-bad-inputs:ReactJSRCE_Body' }],
  httpRequest: { uri: '/', args: '' },
};

export const detector = defineDetector({
  id: 'react-rce-counted',
  title: 'An attack on React server components passed the web ACL',
  description:
    'The managed rule ReactJSRCE_BODY recognised a body that runs code in servers with React server components (CVE-2025-55182), and the request was allowed.',
  severity: 'high',
  severityReason: 'One request is enough to take an unpatched server over.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['initial-access'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
  when: { action: 'ALLOW', labels: { startswith: 'awswaf:managed:aws:known-bad-inputs:ReactJSRCE' } },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) made {count} such requests that {web_acl_name} let pass, first {http_method} {host}{uri}: {matched_rules}',
  falsePositives: ['A scan that you ordered.'],
  blindSpots: [
    'Older versions of the rule group, which do not have the rule.',
    'Bodies beyond the limit of inspection: oversized-body-after-blocks.',
  ],
  response: [
    'Run the saved question waf-requests-of-address for source_ip: what came before and after.',
    'Set the rule to Block, or write down why it must count.',
    'Check the versions of React and Next.js behind this web ACL.',
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
        { ...counted, labels: [{ name: 'awswaf:managed:aws:known-bad-inputs:ExploitablePaths_URIPath' }] },
        { httpRequest: counted.httpRequest },
      ],
      alerts: [],
    },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        {
          ...counted,
          labels: [{ name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:known-bad-inputs:ReactJSRCE_Body' }],
        },
      ],
      alerts: [],
    },
  ],
});
