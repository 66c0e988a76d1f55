/** A running machine gets another role. */
import { defineDetector } from '../../src/detector.ts';

const attach = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'AssociateIamInstanceProfile',
  requestParameters: {
    AssociateIamInstanceProfileRequest: { IamInstanceProfile: { Name: 'Admin' }, InstanceId: 'i-1234567890abcdef0' },
  },
};

export const detector = defineDetector({
  id: 'instance-profile-replaced',
  title: 'The role of an instance was attached or replaced',
  description:
    'Whoever controls the machine has the rights of the new role within minutes, from the metadata service. It is a way to rights that the caller does not have..',
  severity: 'medium',
  severityReason: 'A known way to higher rights; operators give a role to a machine by hand now and then.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1098.003', version: 16 },
    { technique: 'T1548.005', version: 16 },
  ],
  tags: ['privilege-escalation'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: ['AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} gave {request_parameters.AssociateIamInstanceProfileRequest.IamInstanceProfile.Arn}{request_parameters.AssociateIamInstanceProfileRequest.IamInstanceProfile.Name}{request_parameters.ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile.Arn}{request_parameters.ReplaceIamInstanceProfileAssociationRequest.IamInstanceProfile.Name} to an instance in {aws_region} from {source_address}',

  falsePositives: ['An operator who gives a machine the role for Systems Manager.'],
  blindSpots: ['Another role in the same profile (AddRoleToInstanceProfile), and profiles that are named at launch.'],

  response: ['Read the policies of the role; run the saved question principal-timeline for it since first_seen.'],
  examples: [
    {
      name: 'attached and replaced',
      records: [attach, { ...attach, eventName: 'ReplaceIamInstanceProfileAssociation' }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'CloudFormation or Quick Setup does it for somebody',
      records: [
        {
          ...attach,
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLE:Automation',
            arn: 'arn:aws:sts::111122223333:assumed-role/Automation/Automation',
            accountId: '111122223333',
            invokedBy: 'ssm.amazonaws.com',
          },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...attach, errorCode: 'AccessDenied' },
        { ...attach, eventName: 'DisassociateIamInstanceProfile' },
        { ...attach, eventSource: 'example.amazonaws.com' },
        { ...attach, userIdentity: { type: 'AWSService', invokedBy: 'ssm.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'a role that AWS made for itself',
      records: [
        {
          ...attach,
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLE:ssm',
            arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAmazonSSM/ssm',
            accountId: '111122223333',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                principalId: 'AROAEXAMPLE',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM',
                accountId: '111122223333',
              },
            },
          },
        },
      ],
      alerts: [],
    },
  ],
});
