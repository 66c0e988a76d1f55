/** A user was put into a group that rules, or put itself into any. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const added = (groupName: string, userName = 'Nikki_Wolf') => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'AddUserToGroup',
  requestParameters: { groupName, userName },
});
const ALERT = { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'user-added-to-admin-group',
  title: 'A user was put into an administrators group',
  description:
    'A user was added to a group whose name says that it rules, or added itself to a group. CloudTrail does not say what a group may do, so the name has to serve.',
  severity: 'medium',
  severityReason: 'The shortest way up for somebody who may manage groups; a new administrator looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['privilege-escalation', 'persistence'],
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', event_name: 'AddUserToGroup', outcome: 'success' },
      {
        any: [
          { 'request_parameters.groupName': { re: parameter('groups') } },
          { 'request_parameters.userName': { column: 'user_name' } },
        ],
      },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} put {request_parameters.userName} into the group {request_parameters.groupName}, from {source_address}',
  parameters: {
    groups: z
      .string()
      .default('(?i)(admin|root|power[-_ ]?user|break[-_ ]?glass)')
      .describe('RE2 pattern, found anywhere in the name of the group'),
  },
  falsePositives: ['A new colleague; an access that was granted for a day.'],
  blindSpots: [
    'Groups that rule under another name: list them in the parameter groups.',
    'Groups of IAM Identity Center (CreateGroupMembership of the identity store).',
  ],
  response: [
    'Ask who granted it; take the user out (RemoveUserFromGroup).',
    'Run the saved question iam-changes for request_parameters.userName.',
  ],
  examples: [
    {
      name: 'groups that say that they rule',
      records: ['Administrators', 'root-holders', 'PowerUsers', 'break-glass'].map((group) => added(group)),
      alerts: [ALERT, ALERT, ALERT, ALERT],
    },
    { name: 'the caller adds itself', records: [added('developers', 'Alice')], alerts: [ALERT] },
    {
      name: 'a group of the house',
      records: [added('night-shift')],
      alerts: [ALERT],
      parameters: { groups: '^night-' },
    },
    {
      name: 'an ordinary group, a refusal, a removal, or another service',
      records: [
        added('developers'),
        { ...added('Administrators'), errorCode: 'AccessDenied' },
        { ...added('Administrators'), eventName: 'RemoveUserFromGroup' },
        { ...added('Administrators'), eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
