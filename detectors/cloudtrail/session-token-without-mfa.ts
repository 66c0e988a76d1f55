/** A user made itself a session token without a second factor, for the first time. */
import { defineDetector } from '../../src/detector.ts';

const token = {
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetSessionToken',
  eventTime: '2025-03-11T09:00:00Z',
  requestParameters: { durationSeconds: 129600 },
};
/** Ten days of ordinary work: the account has a history. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'session-token-without-mfa',
  title: 'A user took a session token without a second factor',
  description:
    'GetSessionToken exists to add a second factor to a long-term key. Without one it gives nothing but a second set of credentials that lasts up to 36 hours, outlives the deletion of the key, and shows under another key id. Said the first time in 30 days that a user does so.',
  severity: 'low',
  severityReason: 'A known way to stay in after a key is found; a few old tools do it out of habit.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1550.001', version: 16 }],
  tags: ['persistence', 'baseline'],
  when: {
    all: [
      { event_source: 'sts.amazonaws.com', event_name: 'GetSessionToken', outcome: 'success' },
      { not: { 'request_parameters.serialNumber': { exists: true } } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} took a session token without MFA for the first time in 30 days, with {user_agent} from {source_address}',
  falsePositives: ['An old SDK or tool that takes a token by itself.'],
  blindSpots: [
    'Silent until the account has history.',
    'A thief who also has the second factor.',
    'Tokens of GetFederationToken: federation-token-issued.',
  ],
  response: [
    'Tokens die with a deny policy on the user, not with the key.',
    'Run the saved question principal-timeline for the principal and look for its ASIA keys (access_key_id).',
  ],
  examples: [
    {
      name: 'the first time after ten days',
      records: [usual, token],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a tool that does so each day',
      records: [{ repeat: 11, every: '1d', record: { ...token, eventTime: '2025-03-01T09:00:00Z' } }],
      alerts: [],
    },
    { name: 'there is no history yet', records: [token], alerts: [] },
    {
      name: 'with a second factor, refused, another token, or another service',
      records: [
        usual,
        { ...token, requestParameters: { serialNumber: 'arn:aws:iam::111122223333:mfa/Alice' } },
        { ...token, errorCode: 'AccessDenied' },
        { ...token, eventName: 'GetCallerIdentity' },
        { ...token, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
