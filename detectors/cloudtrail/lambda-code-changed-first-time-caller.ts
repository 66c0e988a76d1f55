/** Somebody replaces the code of a function who never did. */
import { defineDetector } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
/** CloudTrail logs Lambda calls with the date of the API. */
const CALLS = [
  'UpdateFunctionCode20150331v2',
  'AddPermission20150331v2',
  'CreateEventSourceMapping20150331',
  'CreateFunction20150331',
];
/** What of a configuration decides which code runs, and with which rights. */
const SETTINGS: readonly object[] = [
  { layers: ['arn:aws:lambda:us-east-1:444455556666:layer:extra:1'] },
  { handler: 'other.handler' },
  { role: 'arn:aws:iam::111122223333:role/admin' },
  { runtime: 'python3.13' },
];
const deploy = {
  eventSource: 'lambda.amazonaws.com',
  eventName: 'UpdateFunctionCode20150331v2',
  requestParameters: { functionName: 'payments' },
  userIdentity: by('Alice'),
};
const newcomer = { ...deploy, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice deploys each morning. */
const usual = { repeat: 10, every: '1d', record: { ...deploy, eventTime: '2025-03-01T08:00:00Z' } } as const;

export const detector = defineDetector({
  id: 'lambda-code-changed-first-time-caller',
  title: 'The code or the policy of a Lambda function was changed by somebody for the first time',
  description:
    'Functions are deployed by a few principals, again and again. This one had changed no code, role, layer or permission of a function in the account during the last 30 days. Whoever can do so runs code of their own with the rights of the function.',
  severity: 'medium',
  severityReason: 'Out of character, and code runs at once; a new colleague or pipeline has a first time as well.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1525', version: 16 },
    { technique: 'T1648', version: 16 },
  ],
  tags: ['persistence', 'edge', 'baseline'],
  when: {
    all: [
      {
        event_source: 'lambda.amazonaws.com',
        outcome: 'success',
      },
      {
        any: [
          { event_name: ['UpdateFunctionCode', 'AddPermission', 'CreateEventSourceMapping', 'CreateFunction'] },
          {
            all: [
              { event_name: 'UpdateFunctionConfiguration' },
              // Memory, time and variables are tuned by whoever runs a function; these decide what code runs, and with which rights.
              {
                any: [
                  { 'request_parameters.layers[]': { exists: true } },
                  { 'request_parameters.handler': { exists: true } },
                  { 'request_parameters.role': { exists: true } },
                  { 'request_parameters.runtime': { exists: true } },
                ],
              },
            ],
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.functionName} in {aws_region} from {source_address}, for the first time in 30 days',

  falsePositives: ['A new colleague or a new pipeline.'],
  blindSpots: [
    'Silent until the account has three days of history: lambda-code-changed-by-user speaks at once.',
    'A stolen role that deploys every day.',
    'An environment variable that loads other code: CloudTrail does not tell the values.',
  ],

  response: [
    'Compare response_elements.codeSha256 with the last deployment.',
    'Run the saved question principal-timeline for the principal, and for the role of the function.',
  ],
  examples: [
    {
      name: 'a newcomer after ten days of a pipeline',
      records: [usual, ...CALLS.map((eventName) => ({ ...newcomer, eventName }))],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 4,
        },
      ],
    },
    {
      name: 'a newcomer gives the function other code or other rights by its configuration, beside more memory',
      records: [
        usual,
        ...[...SETTINGS, { memorySize: 512, environment: {} }].map((setting) => ({
          ...newcomer,
          eventName: 'UpdateFunctionConfiguration20150331v2',
          requestParameters: { functionName: 'payments', ...setting },
        })),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' }, count: 4 }],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AccessDeniedException' },
        {
          ...newcomer,
          eventName: 'GetFunction20150331v2',
          requestParameters: { functionName: 'payments', ...SETTINGS[0] },
        },
        { ...newcomer, eventSource: 'example.amazonaws.com' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
