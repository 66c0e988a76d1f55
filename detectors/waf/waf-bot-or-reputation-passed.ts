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
    'A rule of the bot control, IP reputation or anonymous IP groups matched, but its action was COUNT. Worth knowing when looking at what an address did, not by itself.',
  severity: 'informational',
  severityReason: 'Half of the traffic of the internet is bots.',
  table: 'waf',
  attack: [{ technique: 'T1595', version: 16 }],
  tags: ['web'],
  when: { would_block: true, labels: { re: '^awswaf:managed:aws:(bot-control|amazon-ip-list|anonymous-ip-list):' } },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} sent {count} requests that a counting rule matched and that went through, first {http_method} {uri} to {host}',
  falsePositives: ['Search engines, monitoring, and people behind a VPN.'],
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
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 1 }],
    },
    { name: 'the rule blocks', records: [{ ...matched, action: 'BLOCK' }], alerts: [] },
    {
      name: 'a rule of another kind counts',
      records: [{ ...matched, labels: [{ name: 'awswaf:managed:aws:core-rule-set:NoUserAgent_Header' }] }],
      alerts: [],
    },
  ],
});
