/** A bot, or an address of bad repute, went through. */
import { defineDetector } from '../../src/detector.ts';

/** A rule of a managed group that only counts matched: the request went on to the application. */
const matched = {
  labels: [{ name: 'awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList' }],
  ruleGroupList: [
    {
      ruleGroupId: 'AWS#managed',
      terminatingRule: null,
      nonTerminatingMatchingRules: [{ ruleId: 'x', action: 'COUNT', overriddenAction: 'BLOCK' }],
      excludedRules: null,
    },
  ],
  httpRequest: { uri: '/search', args: 'q=x' },
};

export const detector = defineDetector({
  id: 'waf-bot-or-reputation-passed',
  title: 'A bot or an address of bad repute was allowed',
  description:
    'A rule of the bot control, IP reputation or anonymous IP groups matched, but its action was COUNT. Says how much such a rule would stop if it blocked. Static files and bots that AWS has verified are left out.',
  severity: 'informational',
  severityReason: 'Half of the traffic of the internet is bots.',
  table: 'waf',
  attack: [{ technique: 'T1595', version: 16 }],
  tags: ['web'],
  when: {
    all: [
      { would_block: true, labels: { re: '^awswaf:managed:aws:(bot-control|amazon-ip-list|anonymous-ip-list):' } },
      { not: { labels: 'awswaf:managed:aws:bot-control:bot:verified' } },
      { not: { uri: { re: '(?i)[.](css|js|map|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|mp4|txt)$' } } },
    ],
  },
  slot: '1d',
  subject: ['web_acl_id'],
  summary:
    '{count} requests that a counting rule of {web_acl_name} matched went through, first {http_method} {uri} to {host} from {source_ip}',
  falsePositives: ['Monitoring, partners, and people behind a VPN.'],
  blindSpots: [
    'Bots that pass for browsers.',
    'Requests that no rule matched, and rules that were taken out of the web ACL.',
  ],
  response: [
    'Look at matched_rules, args and headers of these requests, and at what the application answered.',
    'Let the rule block once its false positives are known; `trailhound query run waf-blocked-then-allowed` shows who came back.',
  ],
  examples: [
    {
      name: 'the rule counts, and the request goes through',
      records: [matched],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
          },
          count: 1,
        },
      ],
    },
    { name: 'the rule blocks', records: [{ ...matched, action: 'BLOCK' }], alerts: [] },
    { name: 'a picture', records: [{ ...matched, httpRequest: { uri: '/img/logo.svg' } }], alerts: [] },
    {
      name: 'the label alone, from a rule that does not count',
      records: [{ ...matched, ruleGroupList: [] }],
      alerts: [],
    },
    {
      name: 'a search engine',
      records: [
        {
          ...matched,
          labels: [
            { name: 'awswaf:managed:aws:bot-control:bot:category:search_engine' },
            { name: 'awswaf:managed:aws:bot-control:bot:verified' },
          ],
        },
      ],
      alerts: [],
    },
    {
      name: 'a rule of another kind counts',
      records: [{ ...matched, labels: [{ name: 'awswaf:managed:aws:core-rule-set:NoUserAgent_Header' }] }],
      alerts: [],
    },
  ],
});
