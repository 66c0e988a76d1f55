/** A request against the server functions of React went through. */
import { defineDetector } from '../../src/detector.ts';

/** A rule of a managed group that only counts matched: the request went on to the application. */
const matched = {
  labels: [{ name: 'awswaf:managed:aws:known-bad-inputs:ReactJSRCE_Body' }],
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
  id: 'waf-react-code-execution-passed',
  title: 'A code execution attempt against React was allowed',
  description:
    'The managed rule against code execution in React server components matched the body, but its action was COUNT: an application that was not updated runs what the body says.',
  severity: 'high',
  severityReason: 'One such request is enough where the application is vulnerable.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['web'],
  when: { would_block: true, labels: { re: '^awswaf:managed:aws:known-bad-inputs:ReactJSRCE' } },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} sent {count} requests that a counting rule matched and that went through, first {http_method} {uri} to {host}',
  falsePositives: ['A scanner of your own.'],
  blindSpots: [
    'Bodies longer than what the web ACL inspects.',
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
      records: [{ ...matched, labels: [{ name: 'awswaf:managed:aws:known-bad-inputs:Log4JRCE_Body' }] }],
      alerts: [],
    },
  ],
});
