/** A layer with code of its own was put under a Lambda function. */
import { defineDetector } from '../../src/detector.ts';

const change = (requestParameters: object) => ({
  eventSource: 'lambda.amazonaws.com',
  eventName: 'UpdateFunctionConfiguration20150331v2',
  requestParameters: { functionName: 'payments', ...requestParameters },
});
const layered = change({ layers: ['arn:aws:lambda:us-east-1:444455556666:layer:helpers:1'] });

export const detector = defineDetector({
  id: 'lambda-layer-added',
  title: 'Layers of a Lambda function were changed',
  description:
    'Code in a layer runs within the function and may replace its libraries, while the code of the function stays the same. A layer may belong to any account.',
  severity: 'low',
  severityReason: 'A known way to stay in, and a common step of deployments.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1525', version: 16 }],
  tags: ['persistence'],
  when: {
    all: [
      {
        event_source: 'lambda.amazonaws.com',
        event_name: 'UpdateFunctionConfiguration',
        outcome: 'success',
        'request_parameters.layers[]': { exists: true },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} put {request_parameters.layers[]} under {request_parameters.functionName} in {aws_region} from {source_address}',
  falsePositives: ['Pipelines and monitoring agents that come as layers: suppress their roles.'],
  blindSpots: [
    'Code of the function itself: lambda-code-changed-by-user.',
    'A layer that was there and gets a new version.',
  ],
  response: ['See to whom the layer belongs: the account stands in its ARN.'],
  examples: [
    {
      name: 'a layer of another account is added',
      records: [layered],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    { name: 'more memory, and no layers', records: [change({ memorySize: 512 }), change({ layers: [] })], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...layered, errorCode: 'ResourceConflictException' },
        { ...layered, eventName: 'CreateFunction20150331' },
        { ...layered, eventSource: 'example.amazonaws.com' },
        { ...layered, userIdentity: { type: 'AWSService', invokedBy: 'apprunner.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
