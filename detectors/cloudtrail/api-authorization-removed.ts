/** An API no longer asks who calls. */
import { defineDetector } from '../../src/detector.ts';

const removed = {
  eventSource: 'apigateway.amazonaws.com',
  eventName: 'DeleteAuthorizer',
  requestParameters: { restApiId: 'a1b2c3d4e5', authorizerId: 'abc123' },
};
const method = (path: string, value: string) => ({
  ...removed,
  eventName: 'UpdateMethod',
  requestParameters: {
    restApiId: 'a1b2c3d4e5',
    resourceId: 'fghijk',
    httpMethod: 'GET',
    updateMethodInput: { patchOperations: [{ op: 'replace', path, value }] },
  },
});
const route = (authorizationType: string) => ({
  ...removed,
  eventName: 'UpdateRoute',
  requestParameters: { apiId: 'a1b2c3d4e5', routeId: 'abc123', authorizationType },
});
const api = (operation: object) => ({
  ...removed,
  eventName: 'UpdateRestApi',
  requestParameters: { restApiId: 'a1b2c3d4e5', updateRestApiInput: { patchOperations: [operation] } },
});

export const detector = defineDetector({
  id: 'api-authorization-removed',
  title: 'The authorizer or the policy of an API was removed',
  description:
    'API Gateway stands before functions and services that trust it. Without authorizer, with a method that asks for nothing, or without its resource policy the API answers everybody.',
  severity: 'medium',
  severityReason: 'Opens an API to the internet at once; APIs that are rebuilt lose their authorizer for a moment.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1190', version: 16 },
    { technique: 'T1556', version: 16 },
  ],
  tags: ['defense-evasion', 'edge'],
  when: {
    all: [
      { event_source: 'apigateway.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'DeleteAuthorizer' },
          {
            event_name: 'UpdateMethod',
            request_parameters: { re: '"/authorizationType"' },
            'request_parameters.updateMethodInput.patchOperations[].value': 'NONE',
          },
          { event_name: 'UpdateRoute', 'request_parameters.authorizationType': 'NONE' },
          {
            event_name: 'UpdateRestApi',
            request_parameters: {
              re: '"op" *: *"remove" *, *"path" *: *"/policy"|"path" *: *"/policy" *, *"(value" *: *""|op" *: *"remove")',
            },
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on API {request_parameters.restApiId}{request_parameters.apiId} in {aws_region} from {source_address}',

  falsePositives: ['An API that is rebuilt, or a path that is meant for everybody.'],
  blindSpots: [
    'Methods that never asked (PutMethod), and imports of a whole API (PutRestApi, ImportApi).',
    'A change works only after a deployment (CreateDeployment).',
  ],

  response: [
    'Put it back and deploy; read the access log of the stage since first_seen.',
    'Run the saved question recent-changes for the principal.',
  ],
  examples: [
    {
      name: 'each way',
      records: [
        removed,
        method('/authorizationType', 'NONE'),
        route('NONE'),
        api({ op: 'replace', path: '/policy', value: '' }),
        api({ op: 'remove', path: '/policy' }),
        api({ path: '/policy', op: 'remove' }),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 6 },
      ],
    },
    {
      name: 'another setting',
      records: [
        method('/authorizationType', 'AWS_IAM'),
        method('/operationName', 'NONE'),
        { ...method('/authorizationType', 'NONE'), eventName: 'TestInvokeMethod' },
        route('JWT'),
        { ...route('NONE'), eventName: 'GetRoute' },
        api({ op: 'replace', path: '/policy', value: '{}' }),
        api({ op: 'replace', path: '/description', value: '' }),
        { ...api({ op: 'remove', path: '/policy' }), eventName: 'UpdateStage' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...removed, errorCode: 'NotFoundException' },
        { ...removed, eventName: 'CreateAuthorizer' },
        { ...removed, eventSource: 'example.amazonaws.com' },
        { ...removed, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
