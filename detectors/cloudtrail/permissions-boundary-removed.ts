/** The permissions boundary of a user or role was taken away, or replaced by one that bounds nothing. */
import { defineDetector } from '../../src/detector.ts';

const removal = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'DeleteRolePermissionsBoundary',
  requestParameters: { roleName: 'Builder' },
};

const replacement = {
  ...removal,
  eventName: 'PutRolePermissionsBoundary',
  requestParameters: { roleName: 'Builder', permissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess' },
};
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'permissions-boundary-removed',
  version: 2,
  title: 'A permissions boundary was removed',
  description:
    'The boundary caps what a user or role can ever be allowed. Without it, or with AdministratorAccess in its place, every policy attached counts in full.',
  severity: 'medium',
  severityReason:
    'A way up for delegated administrators, who are fenced in by nothing else; rarely part of daily work.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['privilege-escalation'],
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: ['DeleteUserPermissionsBoundary', 'DeleteRolePermissionsBoundary'] },
          {
            event_name: ['PutUserPermissionsBoundary', 'PutRolePermissionsBoundary'],
            'request_parameters.permissionsBoundary': { endswith: ':aws:policy/AdministratorAccess' },
          },
        ],
      },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.roleName}{request_parameters.userName} from {source_address}',
  falsePositives: ['A platform team that rebuilds its roles.'],
  blindSpots: ['A boundary that is replaced by a wider one that is not AdministratorAccess.'],
  response: [
    'Put the boundary back.',
    'Run the saved question principal-timeline for request_parameters.roleName or userName: what it did since.',
  ],
  examples: [
    {
      name: 'a role and a user lose their boundary',
      records: [
        removal,
        { ...removal, eventName: 'DeleteUserPermissionsBoundary', requestParameters: { userName: 'Nikki_Wolf' } },
      ],
      alerts: [ALERT, ALERT],
    },
    {
      name: 'a role and a user get one that bounds nothing',
      records: [replacement, { ...replacement, eventName: 'PutUserPermissionsBoundary' }],
      alerts: [ALERT, ALERT],
    },
    {
      name: 'an ordinary boundary is set',
      records: [
        {
          ...replacement,
          requestParameters: { permissionsBoundary: 'arn:aws:iam::111122223333:policy/BuilderBoundary' },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call with that policy, or another service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...replacement, errorCode: 'AccessDenied' },
        { ...replacement, eventName: 'CreateRole' },
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
