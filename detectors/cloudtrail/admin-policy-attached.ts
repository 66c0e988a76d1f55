/** A user, role or group was given an AWS policy that amounts to owning the account. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const attachment = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'AttachUserPolicy',
  requestParameters: { userName: 'Nikki_Wolf', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
};

export const detector = defineDetector({
  id: 'admin-policy-attached',
  title: 'An administrator policy was attached',
  description:
    'AdministratorAccess allows everything, IAMFullAccess allows to grant oneself everything. Attaching either to a user, role or group is the shortest way up.',
  severity: 'high',
  severityReason: 'From this call on the holder owns the account.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['privilege-escalation', 'persistence'],
  when: {
    all: [
      {
        event_source: 'iam.amazonaws.com',
        event_name: ['AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy'],
        outcome: 'success',
        'request_parameters.policyArn': { endswith: parameter('policies') },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} attached {request_parameters.policyArn} to {request_parameters.userName}{request_parameters.roleName}{request_parameters.groupName} from {source_address}',
  parameters: {
    policies: z
      .array(z.string())
      .default([':policy/AdministratorAccess', ':policy/IAMFullAccess'])
      .describe('ends of policy ARNs that count as administrator; add your own policies here'),
  },
  falsePositives: ['An administrator or a pipeline that sets up an administrator on purpose: suppress by target role.'],
  blindSpots: [
    'Policies that allow as much under another name: admin-inline-policy and admin-managed-policy read their text.',
    'A user put into a group that already has the policy.',
  ],
  response: [
    'Detach it unless somebody asked for it; list what the holder did since.',
    'Run the saved question principal-timeline for the user or role that got it.',
  ],
  examples: [
    {
      name: 'a user is made administrator',
      records: [attachment],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a role gets all of IAM, through CloudFormation',
      records: [
        {
          ...attachment,
          eventName: 'AttachRolePolicy',
          sourceIPAddress: 'cloudformation.amazonaws.com',
          requestParameters: { roleName: 'Builder', policyArn: 'arn:aws:iam::aws:policy/IAMFullAccess' },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a policy of our own that we named',
      records: [
        {
          ...attachment,
          eventName: 'AttachGroupPolicy',
          requestParameters: { groupName: 'Owners', policyArn: 'arn:aws:iam::111122223333:policy/Owner' },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
      parameters: { policies: [':policy/Owner'] },
    },
    {
      name: 'a harmless policy',
      records: [
        {
          ...attachment,
          requestParameters: { userName: 'Nikki_Wolf', policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, detached, another service, or by an AWS service',
      records: [
        { ...attachment, errorCode: 'AccessDenied' },
        { ...attachment, eventName: 'DetachUserPolicy' },
        { ...attachment, eventSource: 'example.amazonaws.com' },
        { ...attachment, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
