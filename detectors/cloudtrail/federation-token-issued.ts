/** An IAM user made itself a federation token. */
import { defineDetector } from '../../src/detector.ts';

const token = {
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetFederationToken',
  requestParameters: { name: 'report', durationSeconds: 43200 },
};

export const detector = defineDetector({
  id: 'federation-token-issued',
  title: 'A federation token was issued',
  description:
    'GetFederationToken turns a stolen long-term key into a session of up to 36 hours that outlives the key, and can be exchanged for a console sign-in. Hardly any modern program calls it.',
  severity: 'medium',
  severityReason: 'A known way to survive the deletion of a key; some old applications still use it.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1550.001', version: 16 }],
  tags: ['persistence', 'defense-evasion'],
  when: { event_source: 'sts.amazonaws.com', event_name: 'GetFederationToken', outcome: 'success' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} got a federation token named {request_parameters.name} from {source_ip} ({count} times in the hour)',
  falsePositives: ['An old portal that signs people in to the console: suppress its user.'],
  blindSpots: ['Tokens of GetSessionToken and AssumeRole.'],
  response: [
    'A deny policy on the user cuts the token off; deleting the key does not. List events with user_type FederatedUser.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'a user gets a token',
      records: [token],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, another token, or another service',
      records: [
        { ...token, errorCode: 'AccessDenied' },
        { ...token, eventName: 'GetSessionToken' },
        { ...token, eventSource: 'connect.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
