/** Findings of Security Hub were suppressed, in bulk or for all time. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const suppressed = {
  eventSource: 'securityhub.amazonaws.com',
  eventName: 'BatchUpdateFindings',
  requestParameters: { Workflow: { Status: 'SUPPRESSED' }, FindingIdentifiers: [{ Id: 'finding/1' }] },
};
const rule = {
  eventSource: 'securityhub.amazonaws.com',
  eventName: 'CreateAutomationRule',
  requestParameters: {
    RuleName: 'quiet',
    Actions: [{ Type: 'FINDING_FIELDS_UPDATE', FindingFieldsUpdate: { Workflow: { Status: 'SUPPRESSED' } } }],
  },
};

export const detector = defineDetector({
  id: 'security-findings-suppressed',
  title: 'Findings of Security Hub were suppressed in number',
  description:
    'A suppressed finding is never updated again and leaves the lists that people read. One call takes up to a hundred of them. Counts calls that suppress in a sliding window; a rule that will suppress by itself counts like any.',
  severity: 'medium',
  severityReason: 'Hides the alarm and leaves the guard standing; whoever cleans up a backlog does the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'securityhub.amazonaws.com', outcome: 'success' },
      {
        any: [
          // The API writes its members with a capital; some services log them without.
          { event_name: 'BatchUpdateFindings', 'request_parameters.Workflow.Status': 'SUPPRESSED' },
          { event_name: 'BatchUpdateFindings', 'request_parameters.workflow.status': 'SUPPRESSED' },
          {
            event_name: 'CreateAutomationRule',
            'request_parameters.Actions[].FindingFieldsUpdate.Workflow.Status': 'SUPPRESSED',
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('calls'), within: '1h' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} suppressed findings of Security Hub in {count} calls, first {event_name}, in {aws_region} from {source_address}',
  parameters: {
    calls: z.int().min(1).default(10).describe('calls within an hour; the console sends one for each page of findings'),
  },
  falsePositives: ['A backlog that is worked off; a ticket system that closes findings: suppress its role.'],
  blindSpots: [
    'Up to 900 findings in fewer calls than the threshold.',
    'Findings that are set to RESOLVED, which comes back with the next check.',
    'Findings of GuardDuty that are archived at their source: guardduty-blinded.',
  ],
  response: [
    'List the findings with workflow status SUPPRESSED since; their ids stand in request_parameters.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'ten pages of findings, in either spelling, and a rule',
      records: [
        { repeat: 5, every: '1m', record: suppressed },
        {
          repeat: 4,
          every: '1m',
          record: { ...suppressed, requestParameters: { workflow: { status: 'SUPPRESSED' } } },
        },
        rule,
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 10 },
      ],
    },
    { name: 'nine', records: [{ repeat: 9, every: '1m', record: suppressed }], alerts: [] },
    { name: 'ten over a day', records: [{ repeat: 10, every: '2h', record: suppressed }], alerts: [] },
    {
      name: 'another state, a note, another call with that status, or another rule',
      records: [
        { repeat: 10, every: '1s', record: { ...suppressed, requestParameters: { Workflow: { Status: 'RESOLVED' } } } },
        { repeat: 10, every: '1s', record: { ...suppressed, requestParameters: { workflow: { status: 'NOTIFIED' } } } },
        { repeat: 10, every: '1s', record: { ...suppressed, eventName: 'UpdateFindings' } },
        {
          repeat: 10,
          every: '1s',
          record: {
            ...suppressed,
            eventName: 'UpdateFindings',
            requestParameters: { workflow: { status: 'SUPPRESSED' } },
          },
        },
        { repeat: 10, every: '1s', record: { ...rule, eventName: 'BatchGetAutomationRules' } },
        {
          repeat: 10,
          every: '1s',
          record: {
            ...rule,
            requestParameters: { Actions: [{ FindingFieldsUpdate: { Workflow: { Status: 'NOTIFIED' } } }] },
          },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, another service, or a service at work',
      records: [
        { repeat: 10, every: '1s', record: { ...suppressed, errorCode: 'AccessDeniedException' } },
        { repeat: 10, every: '1s', record: { ...suppressed, eventSource: 'example.amazonaws.com' } },
        {
          repeat: 10,
          every: '1s',
          record: { ...suppressed, userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
  ],
});
