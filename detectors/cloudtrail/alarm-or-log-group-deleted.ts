/** CloudWatch alarms or whole log groups were deleted. */
import { defineDetector } from '../../src/detector.ts';

const deletion = {
  eventSource: 'logs.amazonaws.com',
  eventName: 'DeleteLogGroup',
  requestParameters: { logGroupName: '/aws/lambda/payments' },
};

export const detector = defineDetector({
  id: 'alarm-or-log-group-deleted',
  title: 'CloudWatch alarms or logs were deleted',
  description:
    'Deleting a log group or stream destroys what was logged; deleting an alarm or switching its actions off makes sure nobody is woken.',
  severity: 'low',
  severityReason: 'Happens with every application that is taken down; the name says whether it mattered.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    any: [
      { event_source: 'logs.amazonaws.com', event_name: ['DeleteLogGroup', 'DeleteLogStream'], outcome: 'success' },
      {
        event_source: 'monitoring.amazonaws.com',
        event_name: ['DeleteAlarms', 'DisableAlarmActions'],
        outcome: 'success',
      },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.logGroupName}{request_parameters.alarmNames} in {aws_region} from {source_address}',
  falsePositives: ['Deployments and clean-up jobs.'],
  blindSpots: ['A short retention (PutRetentionPolicy) deletes as well, later and in silence.'],
  response: ['Look at what else the principal deleted in the same hour.'],
  examples: [
    {
      name: 'each of the calls',
      records: [
        ...['DeleteLogGroup', 'DeleteLogStream'].map((eventName) => ({ ...deletion, eventName })),
        ...['DeleteAlarms', 'DisableAlarmActions'].map((eventName) => ({
          ...deletion,
          eventSource: 'monitoring.amazonaws.com',
          eventName,
        })),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'a log group and an alarm go',
      records: [
        deletion,
        {
          ...deletion,
          eventSource: 'monitoring.amazonaws.com',
          eventName: 'DeleteAlarms',
          requestParameters: { alarmNames: ['errors'] },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 }],
    },
    {
      name: 'refused, read, or another service',
      records: [
        { ...deletion, errorCode: 'AccessDeniedException' },
        { ...deletion, eventName: 'DescribeLogGroups' },
        { ...deletion, eventSource: 'example.amazonaws.com' },
        { ...deletion, eventSource: 'monitoring.amazonaws.com', eventName: 'DeleteAlarms', errorCode: 'AccessDenied' },
        { ...deletion, eventSource: 'monitoring.amazonaws.com', eventName: 'DescribeAlarms' },
        { ...deletion, eventName: 'DeleteAlarms' },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DeleteLogStream', 'DisableAlarmActions'].map((eventName) => ({
        eventName,
        eventSource: 'logs.amazonaws.com',
        requestParameters: { logGroupName: '/aws/lambda/payments' },
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'the other calls that it is about',
      records: ['DisableAlarmActions'].map((eventName) => ({
        eventName,
        eventSource: 'monitoring.amazonaws.com',
        requestParameters: { alarmNames: ['errors'] },
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
  ],
});
