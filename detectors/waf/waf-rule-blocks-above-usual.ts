/** A rule blocks far more than it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const DAY = 86_400_000;
const START = Date.UTC(2025, 2, 3, 10);
const blocked = {
  action: 'BLOCK',
  terminatingRuleId: 'AWS-AWSManagedRulesCommonRuleSet',
  terminatingRuleType: 'MANAGED_RULE_GROUP',
};

export const detector = defineDetector({
  id: 'waf-rule-blocks-above-usual',
  title: 'A rule blocked far more requests than usual',
  description:
    'What a rule stops is steady for days; many times as much in an hour is an attack, or a change of the application that the rule does not like.',
  severity: 'medium',
  severityReason: 'What was blocked did no harm; what comes with it may.',
  table: 'waf',
  attack: [{ technique: 'T1595.002', version: 16 }],
  tags: ['web'],
  when: { action: 'BLOCK' },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('blocks'), over: '7d' },
  slot: '1h',
  subject: ['web_acl_id', 'terminating_rule_id'],
  summary:
    '{terminating_rule_id} blocked {count} requests in an hour, far above its usual, first {uri} from {source_ip}',
  parameters: {
    times: z
      .number()
      .min(2)
      .default(10)
      .describe('times; the usual is the lower median of the hours of a week in which it blocked anything'),
    blocks: z.int().min(1).default(500).describe('requests in the hour; below that nobody needs to look'),
  },
  falsePositives: ['A release of the application whose requests a rule takes for attacks.'],
  blindSpots: ['A slow rise over days.', 'Rules that count.'],
  response: [
    'Group the blocked requests by source_ip, uri, country and ja4_fingerprint: one of them usually stands out.',
  ],
  examples: [
    {
      name: 'ten a day, and then six hundred in an hour',
      records: [
        { repeat: 5, every: '1d', record: { ...blocked, timestamp: START } },
        { repeat: 600, every: '5s', record: { ...blocked, timestamp: START + 5 * DAY } },
      ],
      alerts: [{ subject: { terminating_rule_id: 'AWS-AWSManagedRulesCommonRuleSet' }, count: 600 }],
    },
    {
      name: 'as many that are allowed',
      records: [
        { repeat: 5, every: '1d', record: { ...blocked, action: 'ALLOW', timestamp: START } },
        { repeat: 600, every: '5s', record: { ...blocked, action: 'ALLOW', timestamp: START + 5 * DAY } },
      ],
      alerts: [],
    },
    {
      name: 'fewer than anybody needs to look at',
      records: [
        { repeat: 5, every: '1d', record: { ...blocked, timestamp: START } },
        { repeat: 400, every: '5s', record: { ...blocked, timestamp: START + 5 * DAY } },
      ],
      alerts: [],
    },
    {
      name: 'the rule is a day old',
      records: [{ repeat: 600, every: '5s', record: { ...blocked, timestamp: START } }],
      alerts: [],
    },
  ],
});
