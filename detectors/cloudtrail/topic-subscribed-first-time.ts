/** Somebody who never did sends the messages of a topic outside. */
import { defineDetector } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
const base = {
  eventSource: 'sns.amazonaws.com',
  eventName: 'Subscribe',
  requestParameters: { topicArn: 'arn:aws:sns:us-east-1:111122223333:orders', protocol: 'email' },
};
const newcomer = { ...base, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice does so each morning. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { ...base, userIdentity: by('Alice'), eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'topic-subscribed-first-time',
  title: 'Messages of a topic were sent to an address outside by somebody for the first time',
  description:
    'A subscription by mail, phone or web address copies every message of the topic to it. The principal had subscribed nothing of that kind in the account during the last 30 days.',
  severity: 'low',
  severityReason: 'A quiet leak for what the topic carries; people subscribe themselves to alarms as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'baseline'],
  when: {
    all: [
      {
        event_source: 'sns.amazonaws.com',
        event_name: 'Subscribe',
        outcome: 'success',
        'request_parameters.protocol': ['email', 'email-json', 'sms', 'http', 'https'],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} subscribed to {request_parameters.topicArn} by {request_parameters.protocol} in {aws_region} from {source_address}, for the first time in 30 days',

  falsePositives: ['A colleague who wants to hear alarms.'],
  blindSpots: [
    'Silent until the account has three days of history.',
    'The address, which CloudTrail hides.',
    'Queues and functions of other accounts: resource-policy-given-to-account.',
  ],

  response: [
    'List the subscriptions of request_parameters.topicArn; run the saved question recent-changes for the principal.',
  ],
  examples: [
    {
      name: 'each kind of address',
      records: [
        usual,
        ...['email', 'email-json', 'sms', 'http', 'https'].map((protocol) => ({
          ...newcomer,
          requestParameters: { topicArn: 'arn:aws:sns:us-east-1:111122223333:orders', protocol },
        })),
      ],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 5,
        },
      ],
    },
    {
      name: 'a queue',
      records: [
        usual,
        { ...newcomer, requestParameters: { topicArn: 'arn:aws:sns:us-east-1:111122223333:orders', protocol: 'sqs' } },
      ],
      alerts: [],
    },
    {
      name: 'a newcomer after ten days of another',
      records: [usual, newcomer],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' }, count: 1 }],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    { name: 'the same person as ever', records: [usual, { ...newcomer, userIdentity: by('Alice') }], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AuthorizationError' },
        { ...newcomer, eventName: 'ConfirmSubscription' },
        { ...newcomer, eventSource: 'example.amazonaws.com' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
