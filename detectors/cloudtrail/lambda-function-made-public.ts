/** A Lambda function may be called by anybody. */
import { defineDetector } from '../../src/detector.ts';

const permission = (requestParameters: object) => ({
  eventSource: 'lambda.amazonaws.com',
  // CloudTrail logs Lambda calls with the date of the API.
  eventName: 'AddPermission20150331v2',
  requestParameters: {
    functionName: 'payments',
    statementId: 'invoke',
    action: 'lambda:InvokeFunction',
    ...requestParameters,
  },
});
const open = permission({ principal: '*' });
const url = (authType: string) => ({
  eventSource: 'lambda.amazonaws.com',
  eventName: 'CreateFunctionUrlConfig20211031',
  requestParameters: { functionName: 'payments', authType },
});

export const detector = defineDetector({
  id: 'lambda-function-made-public',
  title: 'A Lambda function or layer was opened to everybody',
  description:
    'A permission for the principal * without a source, or a function URL without authentication: whoever knows the name can run the code with the rights of its role, and a back door stays open.',
  severity: 'high',
  severityReason: 'A way in from the internet that needs no credentials.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1546', version: 16 },
    { technique: 'T1648', version: 16 },
  ],
  tags: ['persistence'],
  when: {
    all: [
      { event_source: 'lambda.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            all: [
              { event_name: ['AddPermission', 'AddLayerVersionPermission'], 'request_parameters.principal': '*' },
              {
                not: {
                  any: [
                    { 'request_parameters.sourceArn': { exists: true } },
                    { 'request_parameters.sourceAccount': { exists: true } },
                    { 'request_parameters.principalOrgID': { exists: true } },
                    { 'request_parameters.organizationId': { exists: true } },
                  ],
                },
              },
            ],
          },
          {
            event_name: ['CreateFunctionUrlConfig', 'UpdateFunctionUrlConfig'],
            'request_parameters.authType': 'NONE',
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} opened {request_parameters.functionName}{request_parameters.layerName} to everybody ({event_name}) from {source_address}',
  falsePositives: ['A public web hook that checks its callers itself.'],
  blindSpots: ['Functions behind an API Gateway without authorizer.', 'A permission for a single foreign account.'],
  response: ['Remove the permission or URL; look at code and role of the function.'],
  examples: [
    {
      name: 'a layer for everybody, a URL that loses its authentication',
      records: [
        { ...permission({ principal: '*', layerName: 'shared' }), eventName: 'AddLayerVersionPermission20181031' },
        { ...url('NONE'), eventName: 'UpdateFunctionUrlConfig20211031' },
      ],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
    {
      name: 'everybody may invoke',
      records: [open],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a URL without authentication',
      records: [url('NONE')],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a service, a source, an account or an organization stands before it',
      records: [
        permission({ principal: 's3.amazonaws.com' }),
        permission({ principal: '*', sourceArn: 'arn:aws:s3:::amzn-s3-demo-bucket' }),
        permission({ principal: '*', sourceAccount: '111122223333' }),
        permission({ principal: '*', principalOrgID: 'o-example' }),
        {
          ...permission({ principal: '*', organizationId: 'o-example' }),
          eventName: 'AddLayerVersionPermission20181031',
        },
        url('AWS_IAM'),
      ],
      alerts: [],
    },
    {
      name: 'refused, removed, another service, or by an AWS service',
      records: [
        { ...open, errorCode: 'ResourceConflictException' },
        { ...open, eventName: 'RemovePermission20150331v2' },
        { ...url('NONE'), eventName: 'DeleteFunctionUrlConfig20211031' },
        { ...open, eventName: 'AddPermission', eventSource: 'sqs.amazonaws.com' },
        { ...open, userIdentity: { type: 'AWSService', invokedBy: 'apigateway.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['AddLayerVersionPermission', 'UpdateFunctionUrlConfig'].map((eventName) => ({
        eventName,
        eventSource: 'lambda.amazonaws.com',
        requestParameters: {
          functionName: 'payments',
          statementId: 'invoke',
          action: 'lambda:InvokeFunction',
          principal: '*',
        },
      })),
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the other calls that it is about',
      records: ['UpdateFunctionUrlConfig'].map((eventName) => ({
        eventName,
        eventSource: 'lambda.amazonaws.com',
        requestParameters: { functionName: 'payments', authType: 'NONE' },
      })),
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
  ],
});
