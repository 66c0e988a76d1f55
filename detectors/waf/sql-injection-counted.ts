/** SQL injection was recognised and let pass, because the rule only counts. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const counted = {
  ruleGroupList: [
    {
      ruleGroupId: 'AWS#AWSManagedRulesSQLiRuleSet',
      terminatingRule: null,
      nonTerminatingMatchingRules: [{ ruleId: 'SQLi_QUERYARGUMENTS', action: 'COUNT', ruleMatchDetails: [] }],
      excludedRules: null,
    },
  ],
  labels: [{ name: 'awswaf:managed:aws:sql-database:SQLi_QueryArguments' }],
  httpRequest: { uri: '/products', args: "id=1'%20OR%20'1'='1" },
};
const many = (record: object, repeat = 5) => ({ repeat, every: '10s', record }) as const;

export const detector = defineDetector({
  id: 'sql-injection-counted',
  title: 'Requests with SQL injection passed the web ACL',
  description:
    'The managed rules for SQL databases put their label on several requests of one address within ten minutes, and the requests were allowed: the rule was set to Count and stayed there. One such request is mostly a mistake of the rule, several are somebody at work.',
  severity: 'high',
  severityReason:
    'An attack on the database is going through; that the rule has many false alarms is why it was set to Count.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['initial-access'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-use-case.html
  when: { action: 'ALLOW', labels: { startswith: 'awswaf:managed:aws:sql-database:' } },
  threshold: { atLeast: parameter('requests'), within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) made {count} such requests that {web_acl_name} let pass, first {http_method} {host}{uri}: {matched_rules}',
  parameters: {
    requests: z
      .int()
      .min(1)
      .default(5)
      .describe('requests in ten minutes; a text that looks like SQL comes once or twice'),
  },
  falsePositives: [
    'A page for editors or for search in which people write what looks like SQL.',
    'A scan that you ordered.',
  ],
  blindSpots: [
    'Injection in a part of the request that the rules do not read, such as a body beyond the limit: oversized-body-after-blocks.',
    'SQL injection that no rule recognises.',
  ],
  response: [
    'Run the saved question waf-requests-of-address for source_ip: what came before and after.',
    'Set the rule to Block, or write down why it must count.',
  ],
  examples: [
    {
      name: 'the rule only counts, and the requests pass',
      records: [many(counted)],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 5 }],
    },
    { name: 'one request fewer', records: [many(counted, 4)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(counted), every: '1h' }], alerts: [] },
    {
      name: 'the rule blocks',
      records: [
        many({
          ...counted,
          action: 'BLOCK',
          terminatingRuleId: 'AWSManagedRulesSQLiRuleSet',
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
      records: [{ ...many(counted), every: '142s' }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 5,
        },
      ],
    },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        many({
          ...counted,
          labels: [{ name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:sql-database:SQLi_QueryArguments' }],
        }),
      ],
      alerts: [],
    },
  ],
});
