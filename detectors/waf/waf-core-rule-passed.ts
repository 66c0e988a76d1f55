/** A rule of the core set matched, and the request went through. */
import { defineDetector } from '../../src/detector.ts';

/** A rule of a managed group that only counts matched: the request went on to the application. */
const matched = {
  labels: [{ name: 'awswaf:managed:aws:core-rule-set:CrossSiteScripting_QueryArguments' }],
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
  id: 'waf-core-rule-passed',
  title: 'A core rule matched a request that was allowed',
  description:
    'A rule of the managed core set (cross-site scripting, file inclusion, size limits and their like) matched, but its action was COUNT.',
  severity: 'medium',
  severityReason: 'These rules match more than attacks, which is why many let them count at first.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['web'],
  when: { would_block: true, labels: { re: '^awswaf:managed:aws:core-rule-set:' } },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} sent {count} requests that a counting rule matched and that went through, first {http_method} {uri} to {host}',
  falsePositives: ['Rich text that a form sends on purpose, and large uploads.'],
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
      records: [{ ...matched, labels: [{ name: 'awswaf:managed:aws:bot-control:bot:verified' }] }],
      alerts: [],
    },
  ],
});
