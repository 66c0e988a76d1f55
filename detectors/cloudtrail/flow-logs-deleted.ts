/** The record of network traffic of a VPC was switched off. */
import { defineDetector } from '../../src/detector.ts';

const deletion = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'DeleteFlowLogs',
  requestParameters: { DeleteFlowLogsRequest: { FlowLogId: { tag: 1, content: 'fl-1234567890abcdef0' } } },
};

export const detector = defineDetector({
  id: 'flow-logs-deleted',
  title: 'VPC flow logs were deleted',
  description: 'Without flow logs nobody can say later where data went.',
  severity: 'medium',
  severityReason: 'Hides traffic; a VPC that is torn down loses its flow logs as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: { event_source: 'ec2.amazonaws.com', event_name: 'DeleteFlowLogs', outcome: 'success' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} deleted {request_parameters.DeleteFlowLogsRequest.FlowLogId.content} in {aws_region} from {source_address}',
  falsePositives: ['Terraform takes down a VPC with all that belongs to it.'],
  blindSpots: ['A destination that no longer accepts the logs.'],
  response: ['If the VPC still exists, create the flow log again.'],
  examples: [
    {
      name: 'a flow log is deleted',
      records: [deletion],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'refused, created, or another service',
      records: [
        { ...deletion, errorCode: 'Client.UnauthorizedOperation' },
        { ...deletion, eventName: 'CreateFlowLogs' },
        { ...deletion, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
