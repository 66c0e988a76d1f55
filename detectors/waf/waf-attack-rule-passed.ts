/** A managed rule against an attack matched, and the request went through. */
import { defineDetector } from '../../src/detector.ts';

/** A rule of a managed group that only counts matched: the request went on to the application. */
const matched = {
  labels: [{ name: 'awswaf:managed:aws:sql-database:SQLi_QueryArguments' }],
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
  id: 'waf-attack-rule-passed',
  title: 'An attack rule matched a request that was allowed',
  description:
    'A rule of the managed groups against SQL injection, known bad inputs, administration pages or an operating system matched, but its action was COUNT: the web ACL saw the attack and let it pass.',
  severity: 'high',
  severityReason: 'The application got a request that AWS takes for an attack.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['web'],
  when: {
    would_block: true,
    labels: {
      re: '^awswaf:managed:aws:(sql-database|known-bad-inputs|admin-protection|linux-os|posix-os|windows-os|php-app|wordpress-app):',
    },
  },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} sent {count} requests that a counting rule matched and that went through, first {http_method} {uri} to {host}',
  falsePositives: ['A search form in which people write SQL, or an administration page that is meant to be reached.'],
  blindSpots: [
    'Rules of other vendors, whose labels have names of their own.',
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
