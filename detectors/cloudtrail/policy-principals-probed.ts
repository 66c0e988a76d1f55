/** Somebody finds out which users and roles exist by writing policies that name them. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const refused = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'UpdateAssumeRolePolicy',
  errorCode: 'MalformedPolicyDocumentException',
  errorMessage: 'Invalid principal in policy: "AWS":"arn:aws:iam::444455556666:role/Admin"',
  requestParameters: { roleName: 'Builder' },
};
const ALERT = [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }];

export const detector = defineDetector({
  id: 'policy-principals-probed',
  title: 'Names of users and roles were probed by policies',
  description:
    'AWS refuses a policy that names a principal which does not exist, and takes one that names an existing one, in any account. Tools go through lists of names that way, by the trust policy of a role or the policy of a bucket of their own. Counts such refusals in a sliding window.',
  severity: 'medium',
  severityReason: 'One is a typing error, ten within minutes a list; nothing is obtained but names.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1087.004', version: 16 }],
  tags: ['discovery'],
  // IAM: MalformedPolicyDocumentException; S3: MalformedPolicy; both say which principal is invalid.
  when: {
    all: [
      { error_code: { startswith: 'MalformedPolicy' }, error_message: { contains: 'nvalid principal' } },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('refusals'), within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} was told {peak} times within ten minutes that a principal does not exist, with {event_name} from {source_address}',
  parameters: {
    refusals: z
      .int()
      .min(2)
      .default(10)
      .describe('refusals within ten minutes; Terraform that waits for a new role meets a handful'),
  },
  falsePositives: ['A pipeline that tries again until a role that was just made is known everywhere.'],
  blindSpots: [
    'A probe from an account of the intruder: it stands in that account alone.',
    'Names that exist: those calls succeed and are not counted.',
  ],
  response: [
    'The names stand in error_message; those after which a call succeeded exist.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    { name: 'ten names in two minutes', records: [{ repeat: 10, every: '12s', record: refused }], alerts: ALERT },
    {
      name: 'by the policy of a bucket',
      records: [
        {
          repeat: 10,
          every: '12s',
          record: {
            ...refused,
            eventSource: 's3.amazonaws.com',
            eventName: 'PutBucketPolicy',
            errorCode: 'MalformedPolicy',
            errorMessage: 'Invalid principal in policy',
          },
        },
      ],
      alerts: ALERT,
    },
    { name: 'one fewer', records: [{ repeat: 9, every: '12s', record: refused }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 10, every: '2h', record: refused }], alerts: [] },
    {
      name: 'policies that are wrong for another reason',
      records: [
        {
          repeat: 10,
          every: '12s',
          record: { ...refused, errorMessage: 'The policy failed legacy parsing' },
        },
      ],
      alerts: [],
    },
    {
      name: 'another error that speaks of a principal',
      records: [{ repeat: 10, every: '12s', record: { ...refused, errorCode: 'InvalidInputException' } }],
      alerts: [],
    },
    {
      name: 'an AWS service that sets up roles',
      records: [
        {
          repeat: 10,
          every: '12s',
          record: { ...refused, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
  ],
});
