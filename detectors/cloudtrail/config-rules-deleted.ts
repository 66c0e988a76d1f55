/** Rules of AWS Config were deleted. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const deletion = {
  eventSource: 'config.amazonaws.com',
  eventName: 'DeleteConfigRule',
  requestParameters: { configRuleName: 'restricted-ssh' },
};
const NAMES = [
  'DeleteConfigRule',
  'DeleteOrganizationConfigRule',
  'DeleteConformancePack',
  'DeleteOrganizationConformancePack',
];
const ALERT = { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'config-rules-deleted',
  title: 'Rules of AWS Config were deleted',
  description:
    'Config goes on to record, but nobody judges what it records: several rules or conformance packs are gone within ten minutes. What CloudFormation deletes for a stack is left out, and so is a single rule that is replaced.',
  severity: 'medium',
  severityReason: 'Takes away the judge and leaves the witness; who tidies up rules does the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'config.amazonaws.com', event_name: NAMES, outcome: 'success' },
      { not: { actor_type: 'service' } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  threshold: { atLeast: parameter('rules'), within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} deleted {count} rules or packs of Config, first {request_parameters.configRuleName}{request_parameters.conformancePackName}, in {aws_region} from {source_address}',
  parameters: {
    rules: z.int().min(1).default(3).describe('rules or packs within ten minutes; one or two are mended by hand'),
  },
  falsePositives: ['An account or a region that is given up; Terraform that removes a set of rules.'],
  blindSpots: [
    'A rule that is made toothless by PutConfigRule.',
    'A recorder that is stopped: config-recorder-stopped.',
  ],
  response: ['Put the rules back, then read what they would have found: saved question recent-changes.'],
  examples: [
    {
      name: 'a rule and two packs',
      records: [NAMES[0], NAMES[1], NAMES[2]].map((eventName) => ({ ...deletion, eventName })),
      alerts: [{ ...ALERT, count: 3 }],
    },
    {
      name: 'those of the organization',
      records: [NAMES[0], NAMES[1], NAMES[3]].map((eventName) => ({ ...deletion, eventName })),
      alerts: [{ ...ALERT, count: 3 }],
    },
    { name: 'two rules', records: [{ repeat: 2, every: '10s', record: deletion }], alerts: [] },
    { name: 'three over a day', records: [{ repeat: 3, every: '4h', record: deletion }], alerts: [] },
    {
      name: 'refused, made, or of another service',
      records: [
        { repeat: 3, every: '1s', record: { ...deletion, errorCode: 'AccessDenied' } },
        { repeat: 3, every: '1s', record: { ...deletion, eventName: 'PutConfigRule' } },
        { repeat: 3, every: '1s', record: { ...deletion, eventSource: 'example.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'a service, and a stack that CloudFormation takes down for a person',
      records: [
        {
          repeat: 3,
          every: '1s',
          record: {
            ...deletion,
            userIdentity: {
              type: 'AssumedRole',
              arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfigConforms/AwsConfigConforms',
              accountId: '111122223333',
              sessionContext: {
                sessionIssuer: {
                  type: 'Role',
                  arn: 'arn:aws:iam::111122223333:role/aws-service-role/config-conforms.amazonaws.com/AWSServiceRoleForConfigConforms',
                },
              },
            },
          },
        },
        {
          repeat: 3,
          every: '1s',
          record: {
            ...deletion,
            userIdentity: {
              type: 'IAMUser',
              arn: 'arn:aws:iam::111122223333:user/Alice',
              accountId: '111122223333',
              userName: 'Alice',
              invokedBy: 'cloudformation.amazonaws.com',
            },
          },
        },
      ],
      alerts: [],
    },
  ],
});
