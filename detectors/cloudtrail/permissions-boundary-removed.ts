/** The permissions boundary of a user or role was taken away. */
import { defineDetector } from '../../src/detector.ts';

const removal = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'DeleteRolePermissionsBoundary',
  requestParameters: { roleName: 'Builder' },
};

export const detector = defineDetector({
  id: 'permissions-boundary-removed',
  title: 'A permissions boundary was removed',
  description:
    'The boundary caps what a user or role can ever be allowed. Without it every policy attached counts in full.',
  severity: 'medium',
  severityReason:
    'A way up for delegated administrators, who are fenced in by nothing else; rarely part of daily work.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['privilege-escalation'],
  when: {
    event_source: 'iam.amazonaws.com',
    event_name: ['DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary'],
    outcome: 'success',
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} removed the boundary of {request_parameters.roleName}{request_parameters.userName} from {source_address}',
  falsePositives: ['A platform team that rebuilds its roles.'],
  blindSpots: ['A boundary that is replaced by a wider one.'],
  response: ['Put the boundary back and list what the role did since.'],
  examples: [
    {
      name: 'a role loses its boundary',
      records: [removal],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, set, or another service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...removal, eventName: 'PutRolePermissionsBoundary' },
        { ...removal, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DeleteUserPermissionsBoundary'].map((eventName) => ({
        eventName,
        eventSource: 'iam.amazonaws.com',
        requestParameters: { roleName: 'Builder' },
      })),
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
  ],
});
