/** The control plane of an EKS cluster no longer logs. */
import { defineDetector } from '../../src/detector.ts';

const update = (logging: object | undefined) => ({
  eventSource: 'eks.amazonaws.com',
  eventName: 'UpdateClusterConfig',
  requestParameters: { name: 'shop', logging },
});
const off = update({ clusterLogging: [{ types: ['api', 'audit', 'authenticator'], enabled: false }] });

export const detector = defineDetector({
  id: 'cluster-logging-disabled',
  title: 'Control plane logs of an EKS cluster were switched off',
  description:
    'The API, audit and authenticator logs of the control plane are the only record of what was done inside the cluster. CloudTrail sees none of it.',
  severity: 'high',
  severityReason: 'Nothing that happens in the cluster is recorded afterwards, and nobody needs that in daily work.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 'eks.amazonaws.com',
        event_name: 'UpdateClusterConfig',
        outcome: 'success',
        'request_parameters.logging.clusterLogging[].enabled': false,
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} switched off logs of cluster {request_parameters.name} in {aws_region} from {source_address}',
  falsePositives: [
    'Logs of the scheduler or the controller manager that are switched off to save money: request_parameters.logging names the types.',
  ],
  blindSpots: [
    'A cluster that never logged.',
    'Log groups that are deleted (alarm-or-log-group-deleted) or kept for a day (log-retention-shortened).',
  ],
  response: [
    'Read the types in request_parameters.logging; switch audit and authenticator on again.',
    'Run the saved question principal-timeline for the principal: access entries and node groups of the same hour.',
  ],
  examples: [
    {
      name: 'some types are switched off while another goes on',
      records: [
        off,
        update({
          clusterLogging: [
            { types: ['api'], enabled: true },
            { types: ['audit'], enabled: false },
          ],
        }),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'switched on, or another setting changed',
      records: [update({ clusterLogging: [{ types: ['audit'], enabled: true }] }), update(undefined)],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...off, errorCode: 'AccessDeniedException' },
        { ...off, eventName: 'CreateCluster' },
        { ...off, eventSource: 'example.amazonaws.com' },
        { ...off, userIdentity: { type: 'AWSService', invokedBy: 'eks.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
