/** A long-term access key of the root user is in use. */
import { defineDetector } from '../../src/detector.ts';

const root = {
  type: 'Root',
  principalId: '111122223333',
  arn: 'arn:aws:iam::111122223333:root',
  accountId: '111122223333',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
};
const call = { eventSource: 's3.amazonaws.com', eventName: 'ListBuckets', userIdentity: root };

export const detector = defineDetector({
  id: 'root-access-key-use',
  title: 'An access key of the root user was used',
  description:
    'A root access key has no limits, no expiry and usually no second factor. AWS asks to delete it. Long-term keys begin with AKIA; a root console session shows a temporary key that begins with ASIA.',
  severity: 'critical',
  severityReason: 'Whoever has the key owns the account from anywhere, for as long as the key exists.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['root'],
  when: { actor_type: 'root', access_key_id: { startswith: 'AKIA' } },
  slot: '1h',
  subject: ['account_id', 'access_key_id'],
  summary: 'Root key {access_key_id} called {event_name} from {source_ip} in {aws_region} ({count} calls in the hour)',
  falsePositives: [
    'A script from the early days of the account that still runs with the root key: replace it with a role.',
  ],
  blindSpots: ['Data events such as GetObject, unless they are logged.'],
  response: [
    'List all events of this access_key_id: event_name, source_address, user_agent, first and last time.',
    'Deactivate the key in the console as root, then see what breaks.',
    'Run the saved question access-key-activity for access_key_id.',
  ],
  examples: [
    {
      name: 'the key lists buckets, and is refused once: both are use',
      records: [call, { ...call, errorCode: 'AccessDenied' }],
      alerts: [{ subject: { account_id: '111122223333', access_key_id: 'AKIAIOSFODNN7EXAMPLE' }, count: 2 }],
    },
    {
      name: 'root works in the console',
      records: [{ ...call, userIdentity: { ...root, accessKeyId: 'ASIAIOSFODNN7EXAMPLE' } }],
      alerts: [],
    },
    {
      name: 'a key of a user',
      records: [
        {
          ...call,
          userIdentity: { ...root, type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/Alice', userName: 'Alice' },
        },
      ],
      alerts: [],
    },
  ],
});
