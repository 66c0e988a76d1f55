/** Pages for administrators are reached from outside, because the rule only counts. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const counted = {
  ruleGroupList: [
    {
      ruleGroupId: 'AWS#AWSManagedRulesAdminProtectionRuleSet',
      terminatingRule: null,
      nonTerminatingMatchingRules: [{ ruleId: 'AdminProtection_URIPATH', action: 'COUNT', ruleMatchDetails: [] }],
      excludedRules: null,
    },
  ],
  labels: [{ name: 'awswaf:managed:aws:admin-protection:AdminProtection_URIPath' }],
  httpRequest: { uri: '/sqlmanager', args: '' },
};
const many = (record: object, repeat = 30) => ({ repeat, every: '10s', record }) as const;

export const detector = defineDetector({
  id: 'admin-path-counted',
  title: 'Pages for administrators were reached through the web ACL',
  description:
    'The managed rules that keep the internet away from administration pages put their label on many requests of one address within ten minutes, and the requests were allowed.',
  severity: 'medium',
  severityReason: 'Such pages lead to everything; whether there are any behind this web ACL the rule does not know.',
  table: 'waf',
  attack: [
    { technique: 'T1190', version: 16 },
    { technique: 'T1595.003', version: 16 },
  ],
  tags: ['initial-access'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
  when: { action: 'ALLOW', labels: { startswith: 'awswaf:managed:aws:admin-protection:' } },
  threshold: { atLeast: parameter('requests'), within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) made {count} such requests that {web_acl_name} let pass, first {http_method} {host}{uri}: {matched_rules}',
  parameters: {
    requests: z
      .int()
      .min(1)
      .default(30)
      .describe('requests in ten minutes; a scanner that passes by tries a few paths'),
  },
  falsePositives: ['An administrator at work: let the network of the office in by a rule of its own.'],
  blindSpots: ['Paths that the rule does not know.'],
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
          count: 30,
        },
      ],
    },
    { name: 'one request fewer', records: [many(counted, 29)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(counted), every: '1h' }], alerts: [] },
    {
      name: 'the rule blocks',
      records: [
        many({
          ...counted,
          action: 'BLOCK',
          terminatingRuleId: 'AWSManagedRulesAdminProtectionRuleSet',
          terminatingRuleType: 'MANAGED_RULE_GROUP',
        }),
      ],
      alerts: [],
    },
    {
      name: 'other labels, and none',
      records: [
        many({ ...counted, labels: [{ name: 'awswaf:managed:aws:core-rule-set:NoUserAgent_Header' }] }),
        many({ httpRequest: counted.httpRequest }),
      ],
      alerts: [],
    },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(counted), every: '19s' }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 30,
        },
      ],
    },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        many({
          ...counted,
          labels: [
            { name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:admin-protection:AdminProtection_URIPath' },
          ],
        }),
      ],
      alerts: [],
    },
  ],
});
