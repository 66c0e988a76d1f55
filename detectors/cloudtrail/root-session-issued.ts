/** Somebody took root rights over a member account. */
import { defineDetector } from '../../src/detector.ts';

const issued = (task: string) => ({
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRoot',
  requestParameters: {
    targetPrincipal: '222233334444',
    taskPolicyArn: { arn: `arn:aws:iam::aws:policy/root-task/${task}` },
  },
  responseElements: { credentials: { accessKeyId: 'ASIAI44QH8DHBEXAMPLE' } },
});
const unlock = issued('S3UnlockBucketPolicy');
const ALERT = { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } };

// Tasks: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
export const detector = defineDetector({
  id: 'root-session-issued',
  title: 'A root session over a member account was issued',
  description:
    'AssumeRoot gives fifteen minutes as root of a member account for one task: a new root password, root credentials removed, the policy of a locked bucket or queue deleted. The audit of root credentials, which only reads and which the console itself asks for, is left out.',
  severity: 'high',
  severityReason: 'Root over another account, by one call; the tasks are emergencies and planned beforehand.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1548.005', version: 16 }],
  tags: ['root', 'privilege-escalation'],
  when: {
    all: [
      { event_source: 'sts.amazonaws.com', event_name: 'AssumeRoot', outcome: 'success' },
      { not: { 'request_parameters.taskPolicyArn.arn': { endswith: '/IAMAuditRootUserCredentials' } } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} became root of {request_parameters.targetPrincipal} for {request_parameters.taskPolicyArn.arn}, from {source_address}',
  falsePositives: ['A bucket that locked everybody out is opened again; root passwords are removed from all accounts.'],
  blindSpots: [
    'Only the management account or the delegated administrator records the call; in the member account the session shows as root with assumed_root.',
  ],
  response: [
    'Run the saved question access-key-activity for response_elements.credentials.accessKeyId in the logs of the member account.',
    'Ask the person behind session_name or user_name.',
  ],
  examples: [
    { name: 'a locked bucket is opened', records: [unlock], alerts: [ALERT] },
    { name: 'a root password is made', records: [issued('IAMCreateRootUserPassword')], alerts: [ALERT] },
    {
      name: 'only an audit, a refusal, another session, or another service',
      records: [
        issued('IAMAuditRootUserCredentials'),
        { ...unlock, errorCode: 'AccessDenied' },
        { ...unlock, eventName: 'AssumeRole' },
        { ...unlock, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
