/** An IAM user, not a pipeline, replaced the code of a Lambda function. */
import { defineDetector } from '../../src/detector.ts';

const update = {
  eventSource: 'lambda.amazonaws.com',
  eventName: 'UpdateFunctionCode20150331v2',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    userName: 'Alice',
  },
  requestParameters: { functionName: 'payments', dryRun: false, publish: true },
};

export const detector = defineDetector({
  id: 'lambda-code-changed-by-user',
  title: 'An IAM user replaced the code of a Lambda function',
  description:
    'Code is deployed by roles of pipelines. A user with long-term credentials who overwrites a function runs code of their own with its rights, on each of its events.',
  severity: 'low',
  severityReason: 'A known way to stay in, but developers do it too in accounts that are not tidy.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1525', version: 16 },
    { technique: 'T1648', version: 16 },
  ],
  tags: ['persistence'],
  when: {
    all: [
      {
        event_source: 'lambda.amazonaws.com',
        event_name: 'UpdateFunctionCode',
        outcome: 'success',
        actor_type: 'user',
      },
      { not: { 'request_parameters.dryRun': true } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} replaced the code of {request_parameters.functionName} in {aws_region} from {source_address}',
  falsePositives: ['Developers and pipelines that work with the keys of a user.'],
  blindSpots: ['Code that arrives in a layer (UpdateFunctionConfiguration) or through a stolen role.'],
  response: ['Compare codeSha256 of the response with the last deployment.'],
  examples: [
    {
      name: 'a user overwrites a function',
      records: [update],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'a pipeline deploys with its role',
      records: [
        {
          ...update,
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAIDPPEZS35WEXAMPLE:deploy',
            arn: 'arn:aws:sts::111122223333:assumed-role/Pipeline/deploy',
            accountId: '111122223333',
          },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, tried out, another call, or another service',
      records: [
        { ...update, errorCode: 'AccessDenied' },
        { ...update, requestParameters: { functionName: 'payments', dryRun: true } },
        { ...update, eventName: 'GetFunction20150331v2' },
        { ...update, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
