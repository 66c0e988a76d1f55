/** A policy of the organization no longer holds somebody back. */
import { defineDetector } from '../../src/detector.ts';

const call = (eventName: string, requestParameters: object) => ({
  eventSource: 'organizations.amazonaws.com',
  eventName,
  requestParameters,
});
const detached = call('DetachPolicy', {
  policyId: 'p-examplepolicyid111',
  targetId: 'ou-examplerootid111-exampleouid111',
});

export const detector = defineDetector({
  id: 'organization-policy-detached',
  title: 'A policy of the organization was detached, deleted or switched off',
  description:
    'Service control policies and resource control policies are the fence that no administrator of an account can climb. Here one was taken off a root, a unit or an account, deleted, or its kind disabled for the whole root; or the delegation of a security service was taken away.',
  severity: 'high',
  severityReason: 'Takes a fence away from whole accounts, and only few people ever touch it.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1562.001', version: 16 },
    { technique: 'T1666', version: 16 },
  ],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'organizations.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: ['DeletePolicy', 'DisablePolicyType', 'DeregisterDelegatedAdministrator'] },
          {
            all: [
              { event_name: 'DetachPolicy' },
              // AWS's own policies that allow everything: an allow list takes their place.
              { not: { 'request_parameters.policyId': ['p-FullAWSAccess', 'p-RCPFullAWSAccess'] } },
            ],
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.policyId}{request_parameters.policyType}{request_parameters.servicePrincipal} for {request_parameters.targetId} from {source_address}',
  falsePositives: ['Policies that are moved from units to the root, or taken over by Control Tower.'],
  blindSpots: [
    'A policy whose text is loosened (UpdatePolicy), and an account that is moved to a unit without it (MoveAccount).',
    'Only the management account and delegated administrators log these calls: their trail must be in the store.',
  ],
  response: [
    'Attach the policy again; request_parameters.targetId says which accounts were without it.',
    'Run the saved question recent-changes for those accounts from first_seen on.',
  ],
  examples: [
    {
      name: 'detached, deleted, disabled for the root, delegation taken away',
      records: [
        detached,
        call('DeletePolicy', { policyId: 'p-examplepolicyid111' }),
        call('DisablePolicyType', { rootId: 'r-examplerootid111', policyType: 'SERVICE_CONTROL_POLICY' }),
        call('DeregisterDelegatedAdministrator', {
          accountId: '444455556666',
          servicePrincipal: 'guardduty.amazonaws.com',
        }),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
      ],
    },
    {
      name: 'the policies that allow everything make room for an allow list',
      records: [
        call('DetachPolicy', { policyId: 'p-FullAWSAccess', targetId: '444455556666' }),
        call('DetachPolicy', { policyId: 'p-RCPFullAWSAccess', targetId: '444455556666' }),
      ],
      alerts: [],
    },
    {
      name: 'refused, attached, another service, or by an AWS service',
      records: [
        { ...detached, errorCode: 'AccessDeniedException' },
        { ...detached, eventName: 'AttachPolicy' },
        { ...detached, eventSource: 'iot.amazonaws.com' },
        { ...detached, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
