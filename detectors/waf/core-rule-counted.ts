/** Attacks of the common kinds were recognised and let pass, because the rules only count. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const counted = {
  ruleGroupList: [
    {
      ruleGroupId: 'AWS#AWSManagedRulesCommonRuleSet',
      terminatingRule: null,
      nonTerminatingMatchingRules: [
        { ruleId: 'CrossSiteScripting_QUERYARGUMENTS', action: 'COUNT', ruleMatchDetails: [] },
      ],
      excludedRules: null,
    },
  ],
  labels: [{ name: 'awswaf:managed:aws:core-rule-set:CrossSiteScripting_QueryArguments' }],
  httpRequest: { uri: '/search', args: 'q=%3Cscript%3E' },
};
const many = (record: object, repeat = 20) => ({ repeat, every: '10s', record }) as const;

export const detector = defineDetector({
  id: 'core-rule-counted',
  title: 'Requests with common attacks passed the web ACL',
  description:
    'The core rule set put labels for cross-site scripting, file inclusion, restricted files or calls to the metadata of instances on many requests of one address within ten minutes, and the requests were allowed. Rules about sizes and missing headers do not count here.',
  severity: 'medium',
  severityReason: 'Somebody tries many things, and nothing stops it; single matches of these rules are often wrong.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['initial-access'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
  when: {
    action: 'ALLOW',
    labels: {
      re: '^awswaf:managed:aws:core-rule-set:(CrossSiteScripting|GenericLFI|GenericRFI|RestrictedExtensions|EC2MetaDataSSRF)_',
    },
  },
  threshold: { atLeast: parameter('requests'), within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) made {count} such requests that {web_acl_name} let pass, first {http_method} {host}{uri}: {matched_rules}',
  parameters: {
    requests: z
      .int()
      .min(1)
      .default(20)
      .describe('requests in ten minutes; editors of pages trip over these rules now and then'),
  },
  falsePositives: ['Editors of a content system who write HTML all day.'],
  blindSpots: ['Attacks below the threshold, or from many addresses.'],
  response: [
    'Run the saved question waf-requests-of-address for source_ip: what came before and after.',
    'Set the rule to Block, or write down why it must count.',
  ],
  examples: [
    {
      name: 'the rule only counts, and the requests pass',
      records: [many(counted)],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 20,
        },
      ],
    },
    { name: 'one request fewer', records: [many(counted, 19)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(counted), every: '1h' }], alerts: [] },
    {
      name: 'the rule blocks',
      records: [
        many({
          ...counted,
          action: 'BLOCK',
          terminatingRuleId: 'AWSManagedRulesCommonRuleSet',
          terminatingRuleType: 'MANAGED_RULE_GROUP',
        }),
      ],
      alerts: [],
    },
    {
      name: 'other labels, and none',
      records: [
        many({ ...counted, labels: [{ name: 'awswaf:managed:aws:core-rule-set:SizeRestrictions_Body' }] }),
        many({ httpRequest: counted.httpRequest }),
      ],
      alerts: [],
    },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(counted), every: '30s' }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 20,
        },
      ],
    },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        many({
          ...counted,
          labels: [
            {
              name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:core-rule-set:CrossSiteScripting_QueryArguments',
            },
          ],
        }),
      ],
      alerts: [],
    },
  ],
});
