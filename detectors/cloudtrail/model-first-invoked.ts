/** Somebody calls foundation models who never did. */
import { defineDetector } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
const base = {
  eventSource: 'bedrock.amazonaws.com',
  eventName: 'InvokeModel',
  requestParameters: { modelId: 'anthropic.claude-3-haiku-20240307-v1:0' },
};
const newcomer = { ...base, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice does so each morning. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { ...base, userIdentity: by('Alice'), eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'model-first-invoked',
  title: 'Foundation models were called by somebody for the first time',
  description:
    'Programs that use models have roles of their own and call every day. This principal had not called one in the account during the last 30 days, and does so now with success.',
  severity: 'medium',
  severityReason: 'Out of character and costly; a new program or colleague has a first time as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.004', version: 16 }],
  tags: ['impact', 'baseline'],
  when: {
    all: [
      {
        event_source: 'bedrock.amazonaws.com',
        event_name: ['InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} of {request_parameters.modelId} in {aws_region} from {source_address}, for the first time in 30 days ({count} calls)',

  falsePositives: ['A new program or colleague.'],
  blindSpots: [
    'Silent until the account has three days of history: models-tried-in-turn speaks at once.',
    'The endpoint bedrock-mantle, whose calls are data events.',
  ],

  response: [
    'Look at the calls per hour and at the bill; run the saved question access-key-activity for access_key_id.',
  ],
  examples: [
    {
      name: 'a newcomer after ten days of another',
      records: [
        usual,
        ...['InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream'].map((eventName) => ({
          ...newcomer,
          eventName,
        })),
      ],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 4,
        },
      ],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    { name: 'the same person as ever', records: [usual, { ...newcomer, userIdentity: by('Alice') }], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AccessDeniedException' },
        { ...newcomer, eventName: 'GetFoundationModel' },
        { ...newcomer, eventSource: 'example.amazonaws.com' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
