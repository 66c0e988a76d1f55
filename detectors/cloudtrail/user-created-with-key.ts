/** A user was created and got an access key within minutes. */
import { defineDetector } from '../../src/detector.ts';

const creation = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateUser',
  requestParameters: { userName: 'Nikki_Wolf', path: '/' },
};
const key = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateAccessKey',
  requestParameters: { userName: 'Nikki_Wolf' },
};

export const detector = defineDetector({
  id: 'user-created-with-key',
  title: 'A user was created and given an access key at once',
  description:
    'The classic back door in one move: a new user and a long-term key for it, within ten minutes and by whomever. The two calls are joined by the name of the new user.',
  severity: 'medium',
  severityReason: 'A back door if it was not asked for; Terraform sets up service users in the same two steps.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1136.003', version: 16 },
    { technique: 'T1098.001', version: 16 },
  ],
  tags: ['persistence'],
  sequence: {
    steps: [
      { event_source: 'iam.amazonaws.com', event_name: 'CreateUser', outcome: 'success' },
      { event_source: 'iam.amazonaws.com', event_name: 'CreateAccessKey', outcome: 'success' },
    ],
    by: ['account_id', 'request_parameters.userName'],
    within: '10m',
  },
  slot: '1h',
  subject: ['account_id', 'request_parameters.userName'],
  summary: '{principal} created the user {request_parameters.userName} with an access key from {source_address}',
  falsePositives: ['A pipeline that sets up a service user.'],
  blindSpots: [
    'An intruder with patience: the key comes later than ten minutes (access-key-for-another-user sees it).',
  ],
  response: [
    'List the policies the user was given and all events of its access_key_id.',
    'Run the saved question iam-changes for request_parameters.userName.',
  ],
  examples: [
    {
      name: 'a user and a key for it',
      records: [creation, key],
      alerts: [{ subject: { 'request_parameters.userName': 'Nikki_Wolf' } }],
    },
    {
      name: 'the key is for somebody else',
      records: [creation, { ...key, requestParameters: { userName: 'Mateo_Jackson' } }],
      alerts: [],
    },
    { name: 'the key came first', records: [key, creation], alerts: [] },
    {
      name: 'the key comes an hour later',
      records: [
        { ...creation, eventTime: '2025-03-03T09:00:00Z' },
        { ...key, eventTime: '2025-03-03T10:00:00Z' },
      ],
      alerts: [],
    },
    {
      name: 'the user already existed',
      records: [{ ...creation, errorCode: 'EntityAlreadyExistsException' }, key],
      alerts: [],
    },
    { name: 'the key is refused', records: [creation, { ...key, errorCode: 'LimitExceededException' }], alerts: [] },
    { name: 'another call first, or another after', records: [{ ...creation, eventName: 'GetUser' }, key], alerts: [] },
    { name: 'only policies follow', records: [creation, { ...key, eventName: 'ListAccessKeys' }], alerts: [] },
    {
      name: 'the user belongs to a cache',
      records: [{ ...creation, eventSource: 'elasticache.amazonaws.com' }, key],
      alerts: [],
    },
    {
      name: 'the key belongs to another service',
      records: [creation, { ...key, eventSource: 'example.amazonaws.com' }],
      alerts: [],
    },
  ],
});
