/** What goes on in the two accounts in any week: machines on a schedule, people in office hours, and AWS's own services. */
import { HEX, LETTERS_AND_DIGITS, Random } from '../support/random.ts';
import {
  type Call,
  type Caller,
  iso,
  type Json,
  record,
  roleIdentity,
  s3Additional,
  s3Resources,
  serviceCaller,
} from '../support/records.ts';
import {
  asTerraform,
  atConsole,
  BROWSER,
  buckets,
  CLI,
  DAY,
  DAYS,
  DEVELOPMENT,
  developers,
  developmentServers,
  HOME_REGION,
  HOUR,
  inRole,
  kmsKey,
  MINUTE,
  machines,
  nodes,
  PRODUCTION,
  people,
  roles,
  SECOND_REGION,
  secrets,
  type User,
  WEEK_START,
  webServers,
  withKey,
} from './world.ts';

/** Something that happened, in the account and region that logs it. */
export interface Happening {
  readonly at: number;
  readonly account: string;
  readonly region: string;
  readonly record: Json;
}

/** Collects records of one actor; each actor has its own randomness, so a change to one leaves the others as they are. */
export class Diary {
  readonly happenings: Happening[] = [];
  readonly random: Random;

  constructor(label: string) {
    this.random = new Random(label);
  }

  add(caller: Caller, call: Call): void {
    const { at, region } = call;
    this.happenings.push({ at, account: caller.account, region, record: record(caller, call, this.random) });
  }
}

const days = Array.from({ length: DAYS }, (_, day) => WEEK_START + day * DAY);
const workdays = days.slice(0, 5);
const hours = Array.from({ length: DAYS * 24 }, (_, hour) => WEEK_START + hour * HOUR);

const datePath = (at: number): string => new Date(at).toISOString().slice(0, 10).replaceAll('-', '/');

/** Cluster nodes and their controllers look around, at the full hour. */
function cluster(): Happening[] {
  const diary = new Diary('cluster');
  const filter = (name: string, values: readonly string[]): Json => ({
    filterSet: { items: [{ name, valueSet: { items: values.map((value) => ({ value })) } }] },
  });
  for (const hour of hours) {
    for (const [index, node] of nodes.entries()) {
      const at = hour + 20_000 + index * 11_000;
      const caller = inRole(roles.node, node.id, at, { address: node.address, ec2: true });
      diary.add(caller, {
        action: 'ec2:DescribeInstances',
        at,
        region: HOME_REGION,
        request: { maxResults: 1000, instancesSet: {}, ...filter('tag:kubernetes.io/cluster/prod', ['owned']) },
      });
      diary.add(caller, {
        action: 'ec2:DescribeNetworkInterfaces',
        at: at + 2000,
        region: HOME_REGION,
        request: { networkInterfaceIdSet: {}, ...filter('attachment.instance-id', [node.id]) },
      });
      diary.add(caller, {
        action: 'ec2:DescribeVolumes',
        at: at + 4000,
        region: HOME_REGION,
        request: { volumeSet: {}, ...filter('attachment.instance-id', [node.id]) },
      });
      if (index === 0) {
        diary.add(caller, {
          action: 'autoscaling:DescribeAutoScalingGroups',
          at: at + 5000,
          region: HOME_REGION,
          request: { autoScalingGroupNames: ['eks-prod-a', 'eks-prod-b'], maxRecords: 100 },
        });
      }
    }
  }
  return diary.happenings;
}

/** The shop: web servers read and write objects, a function processes orders. */
function shop(): Happening[] {
  const diary = new Diary('shop');
  const { random } = diary;
  for (const hour of hours) {
    for (const server of webServers) {
      const at = hour + 65_000 + random.below(90_000);
      const caller = inRole(roles.web, server.id, at, { address: server.address, ec2: true });
      diary.add(caller, {
        action: 'ssm:UpdateInstanceInformation',
        at,
        region: HOME_REGION,
        request: {
          agentName: 'amazon-ssm-agent',
          agentVersion: '3.3.3572.0',
          agentStatus: 'Active',
          platformType: 'Linux',
          platformName: 'Amazon Linux',
          platformVersion: '2023',
          instanceId: server.id,
        },
      });
      const reads = 2 + random.below(3);
      for (let read = 0; read < reads; read++) {
        getObject(diary, caller, at + 1000 + read * 700, buckets.uploads, `img/${random.text(HEX, 8)}.webp`);
      }
      putObject(diary, caller, at + 5000, buckets.uploads, `carts/${datePath(at)}/${random.text(HEX, 8)}.json`);
    }
    const at = hour + 130_000;
    const caller = inRole(roles.orders, 'order-processor', at, { address: '192.0.2.40', agent: CLI });
    diary.add(serviceCaller(PRODUCTION, 'lambda.amazonaws.com'), {
      action: 'sts:AssumeRole',
      at,
      region: HOME_REGION,
      request: {
        roleArn: `arn:aws:iam::${PRODUCTION}:role/service-role/order-processor`,
        roleSessionName: 'order-processor',
      },
      response: { credentials: { sessionToken: random.text(LETTERS_AND_DIGITS, 64) } },
      resources: [
        {
          accountId: PRODUCTION,
          type: 'AWS::IAM::Role',
          ARN: `arn:aws:iam::${PRODUCTION}:role/service-role/order-processor`,
        },
      ],
      extra: { sharedEventID: random.uuid() },
    });
    diary.add(caller, {
      action: 'logs:CreateLogStream',
      at: at + 1000,
      region: HOME_REGION,
      request: {
        logGroupName: '/aws/lambda/order-processor',
        logStreamName: `${datePath(at)}/[$LATEST]${random.text(HEX, 32)}`,
      },
    });
    decrypt(diary, caller, at + 2000);
    putObject(diary, caller, at + 3000, buckets.exports, `orders/${datePath(at)}/${random.text(HEX, 8)}.parquet`);
  }
  return diary.happenings;
}

export function getObject(diary: Diary, caller: Caller, at: number, bucket: string, key: string, bytes = 84_211): void {
  diary.add(caller, {
    action: 's3:GetObject',
    at,
    region: HOME_REGION,
    request: { bucketName: bucket, Host: `${bucket}.s3.${HOME_REGION}.amazonaws.com`, key },
    additional: s3Additional(diary.random, 0, bytes),
    resources: s3Resources(caller.account, bucket, key),
  });
}

/** `asked`: the caller names KMS; `default`: it names nothing and the bucket's default, KMS as well, applies. */
function putObject(
  diary: Diary,
  caller: Caller,
  at: number,
  bucket: string,
  key: string,
  encryption: 'asked' | 'default' = 'asked',
): void {
  const kms = kmsKey(caller.account, HOME_REGION);
  diary.add(caller, {
    action: 's3:PutObject',
    at,
    region: HOME_REGION,
    request: {
      bucketName: bucket,
      Host: `${bucket}.s3.${HOME_REGION}.amazonaws.com`,
      ...(encryption === 'asked' ? { 'x-amz-server-side-encryption': 'aws:kms' } : {}),
      key,
    },
    response: {
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': kms,
      'x-amz-version-id': diary.random.text(LETTERS_AND_DIGITS, 32),
    },
    additional: s3Additional(
      diary.random,
      20_480 + diary.random.below(80_000),
      0,
      encryption === 'asked' ? 'SSE_KMS' : 'Default_SSE_KMS',
    ),
    resources: s3Resources(caller.account, bucket, key),
  });
}

function decrypt(diary: Diary, caller: Caller, at: number): void {
  const keyId = kmsKey(caller.account, HOME_REGION);
  diary.add(caller, {
    action: 'kms:Decrypt',
    at,
    region: HOME_REGION,
    request: { encryptionContext: { app: 'orders' }, encryptionAlgorithm: 'SYMMETRIC_DEFAULT', keyId },
    resources: [{ accountId: caller.account, type: 'AWS::KMS::Key', ARN: keyId }],
    extra: { sharedEventID: diary.random.uuid() },
  });
}

/** AWS Config, Auto Scaling and EC2 do their work through service-linked roles. */
function awsServices(): Happening[] {
  const diary = new Diary('aws services');
  for (const hour of hours) {
    const at = hour + 170_000;
    const caller = inRole(roles.config, 'AWSConfig-Describe', at, {
      address: 'config.amazonaws.com',
      agent: 'config.amazonaws.com',
      invokedBy: 'config.amazonaws.com',
    });
    diary.add(caller, {
      action: 'ec2:DescribeSecurityGroups',
      at,
      region: HOME_REGION,
      request: { securityGroupSet: {}, securityGroupIdSet: {}, filterSet: {} },
    });
    diary.add(caller, {
      action: 's3:GetBucketAcl',
      at: at + 3000,
      region: HOME_REGION,
      request: { bucketName: buckets.exports, Host: `${buckets.exports}.s3.amazonaws.com`, acl: '' },
      additional: s3Additional(diary.random, 0, 550),
    });
  }
  for (const [index, day] of days.entries()) {
    // The fleet shrinks at night: a service terminates what it started.
    const at = day + 2 * HOUR + 10 * MINUTE;
    const caller = inRole(roles.scaling, 'AutoScaling', at, {
      address: 'autoscaling.amazonaws.com',
      agent: 'autoscaling.amazonaws.com',
      invokedBy: 'autoscaling.amazonaws.com',
    });
    const instanceId = `i-0${diary.random.text(HEX, 16)}`;
    diary.add(caller, {
      action: 'ec2:TerminateInstances',
      at,
      region: HOME_REGION,
      request: { instancesSet: { items: [{ instanceId }] } },
      response: terminated([instanceId], diary.random),
    });
    diary.add(serviceCaller(PRODUCTION, 'ec2.amazonaws.com'), {
      action: 'sts:AssumeRole',
      at: at + MINUTE + index,
      region: HOME_REGION,
      request: {
        roleArn: `arn:aws:iam::${PRODUCTION}:role/web-app-instance`,
        roleSessionName: webServers[0]?.id ?? '',
      },
      response: { credentials: { sessionToken: diary.random.text(LETTERS_AND_DIGITS, 64) } },
      extra: { sharedEventID: diary.random.uuid() },
    });
  }
  return diary.happenings;
}

export const terminated = (instances: readonly string[], random: Random): Json => ({
  requestId: random.uuid(),
  instancesSet: {
    items: instances.map((instanceId) => ({
      instanceId,
      currentState: { code: 32, name: 'shutting-down' },
      previousState: { code: 16, name: 'running' },
    })),
  },
});

/** The nightly backup: snapshots, and files from on-premises machines. */
function backups(): Happening[] {
  const diary = new Diary('backups');
  for (const day of days) {
    const caller = withKey(machines.backup);
    for (const region of [HOME_REGION, SECOND_REGION]) {
      const at = day + HOUR + (region === HOME_REGION ? 0 : 3 * MINUTE);
      diary.add(caller, { action: 'ec2:DescribeVolumes', at, region, request: { volumeSet: {}, filterSet: {} } });
      for (let volume = 0; volume < 3; volume++) {
        diary.add(caller, {
          action: 'ec2:CreateSnapshot',
          at: at + 4000 + volume * 2000,
          region,
          request: { volumeId: `vol-0${volume}a1b2c3d4e5f67890`, description: 'nightly' },
          response: {
            requestId: diary.random.uuid(),
            snapshotId: `snap-0${diary.random.text(HEX, 16)}`,
            status: 'pending',
          },
        });
      }
    }
    for (let part = 0; part < 20; part++) {
      putObject(
        diary,
        caller,
        day + HOUR + 8 * MINUTE + part * 4000,
        buckets.backups,
        `files/${datePath(day)}/part-${part}.zst`,
      );
    }
  }
  return diary.happenings;
}

/** Deployments, several each working day, with the key of `ci-release` and the role it takes. */
function deployments(): Happening[] {
  const diary = new Diary('deployments');
  const { random } = diary;
  for (const day of workdays) {
    for (let run = 0; run < 6; run++) {
      const at = day + 8 * HOUR + run * 95 * MINUTE + random.below(20) * MINUTE;
      const session = `release-${new Date(at).toISOString().slice(0, 16).replaceAll(':', '')}`;
      diary.add(withKey(machines.release), {
        action: 'sts:AssumeRole',
        at,
        region: HOME_REGION,
        request: {
          roleArn: `arn:aws:iam::${PRODUCTION}:role/ci-deploy`,
          roleSessionName: session,
          durationSeconds: 3600,
        },
        response: { credentials: { sessionToken: random.text(LETTERS_AND_DIGITS, 64) } },
        extra: { sharedEventID: random.uuid() },
      });
      const caller = inRole(roles.deploy, session, at, { address: machines.release.address, agent: CLI });
      putObject(diary, caller, at + 9000, buckets.artifacts, `builds/${random.text(HEX, 12)}.zip`);
      diary.add(caller, {
        action: 'ecs:UpdateService',
        at: at + 30_000,
        region: HOME_REGION,
        request: { cluster: 'shop', service: 'web', taskDefinition: `web:${200 + run}`, forceNewDeployment: false },
        response: { service: { serviceName: 'web', status: 'ACTIVE', desiredCount: 3 } },
      });
      for (let poll = 0; poll < 6; poll++) {
        diary.add(caller, {
          action: 'ecs:DescribeServices',
          at: at + 45_000 + poll * 15_000,
          region: HOME_REGION,
          request: { cluster: 'shop', services: ['web'] },
        });
      }
    }
  }
  return diary.happenings;
}

/** What people look at in the console, in one sitting. */
const LOOKS: readonly (readonly [action: string, request: Json])[] = [
  ['ec2:DescribeInstances', { maxResults: 50, instancesSet: {}, filterSet: {} }],
  ['monitoring:DescribeAlarms', { maxRecords: 100, stateValue: 'ALARM' }],
  ['logs:DescribeLogGroups', { limit: 50 }],
  ['logs:FilterLogEvents', { logGroupName: '/aws/lambda/order-processor', filterPattern: 'ERROR' }],
  ['ecs:ListServices', { cluster: 'shop' }],
  ['ecs:DescribeServices', { cluster: 'shop', services: ['web'] }],
];

/** IAM users of production: signed in with MFA in the morning, some looks during the day, now and then a refusal. */
function office(): Happening[] {
  return Object.values(people).flatMap((person: User) => {
    const diary = new Diary(`office/${person.name}`);
    const { random } = diary;
    for (const day of workdays) {
      const begin = day + 8 * HOUR + random.below(50) * MINUTE;
      if (random.chance(0.15)) consoleLogin(diary, person, begin - 40_000, { success: false, mfa: true });
      consoleLogin(diary, person, begin, { success: true, mfa: true });
      for (let sitting = 0; sitting < 4; sitting++) {
        const at = begin + MINUTE + sitting * 130 * MINUTE + random.below(40) * MINUTE;
        const caller = atConsole(person, begin);
        const looks = 6 + random.below(8);
        for (let look = 0; look < looks; look++) {
          const [action, request] = random.pick(LOOKS);
          diary.add(caller, { action, at: at + look * 7000, region: HOME_REGION, request });
        }
        // Nobody here may see what things cost.
        if (random.chance(0.3)) {
          diary.add(caller, {
            action: 'ce:GetCostAndUsage',
            at: at + 50_000,
            region: HOME_REGION,
            error: {
              code: 'AccessDenied',
              message: `User: arn:aws:iam::${PRODUCTION}:user/${person.name} is not authorized to perform: ce:GetCostAndUsage on resource: arn:aws:ce:us-east-1:${PRODUCTION}:/GetCostAndUsage because no identity-based policy allows the ce:GetCostAndUsage action`,
            },
          });
        }
      }
      if (person === people.nikki) {
        // She looks after the databases, so reading their secrets is her work.
        for (const secretId of secrets.slice(0, 2)) {
          diary.add(atConsole(person, begin), {
            action: 'secretsmanager:GetSecretValue',
            at: begin + 30 * MINUTE,
            region: HOME_REGION,
            request: { secretId },
          });
        }
      }
    }
    return diary.happenings;
  });
}

/** A sign-in at the console as an IAM user. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html */
export function consoleLogin(
  diary: Diary,
  person: User,
  at: number,
  how: { success: boolean; mfa: boolean; address?: string },
): void {
  const caller: Caller = {
    identity: {
      type: 'IAMUser',
      principalId: person.id,
      ...(how.success ? { arn: `arn:aws:iam::${person.account}:user/${person.name}` } : {}),
      accountId: person.account,
      ...(how.success ? {} : { accessKeyId: '' }),
      userName: person.name,
    },
    address: how.address ?? person.address,
    agent: BROWSER,
    account: person.account,
  };
  diary.add(caller, {
    action: 'signin:ConsoleLogin',
    at,
    region: HOME_REGION,
    eventType: 'AwsConsoleSignIn',
    additional: {
      LoginTo: 'https://console.aws.amazon.com/console/home?state=hashArgs%23&isauthcode=true',
      MobileVersion: 'No',
      MFAUsed: how.mfa ? 'Yes' : 'No',
    },
    // A failed sign-in has a message but no code, and its verdict stands in responseElements.
    extra: {
      ...(how.success ? {} : { errorMessage: 'Failed authentication' }),
      responseElements: { ConsoleLogin: how.success ? 'Success' : 'Failure' },
    },
  });
}

/** Development: people of the identity provider, a nightly Terraform plan, a sandbox function. */
function development(): Happening[] {
  const diary = new Diary('development');
  const { random } = diary;
  for (const day of workdays) {
    for (const developer of developers) {
      const begin = day + 9 * HOUR + random.below(40) * MINUTE;
      const session = { created: begin, mfa: false, name: developer.name };
      diary.add(
        {
          identity: roleIdentity(roles.developer, { ...session, key: '' }),
          address: developer.address,
          agent: BROWSER,
          account: DEVELOPMENT,
        },
        {
          action: 'signin:ConsoleLogin',
          at: begin,
          region: HOME_REGION,
          eventType: 'AwsConsoleSignIn',
          // MFA happened at the identity provider, which AWS cannot see.
          additional: { MobileVersion: 'No', MFAUsed: 'No' },
          extra: { responseElements: { ConsoleLogin: 'Success' } },
        },
      );
      for (let sitting = 0; sitting < 3; sitting++) {
        const at = begin + MINUTE + sitting * 140 * MINUTE + random.below(30) * MINUTE;
        const caller = inRole(roles.developer, developer.name, at, {
          address: developer.address,
          agent: BROWSER,
          console: true,
        });
        for (let look = 0; look < 6; look++) {
          const [action, request] = random.pick(LOOKS);
          diary.add(caller, { action, at: at + look * 6000, region: HOME_REGION, request });
        }
        putObject(diary, caller, at + 60_000, buckets.sandbox, `notes/${random.text(HEX, 6)}.json`, 'default');
      }
      if (developer === developers[1]) {
        const stackName = 'sandbox';
        diary.add(
          inRole(roles.developer, developer.name, begin, { address: developer.address, agent: BROWSER, console: true }),
          {
            action: 'cloudformation:CreateChangeSet',
            at: begin + 25 * MINUTE,
            region: HOME_REGION,
            request: { stackName, changeSetName: `change-${iso(day).slice(0, 10)}`, capabilities: ['CAPABILITY_IAM'] },
            response: { stackId: `arn:aws:cloudformation:${HOME_REGION}:${DEVELOPMENT}:stack/${stackName}/1` },
          },
        );
      }
      if (developer === developers[0]) {
        // He stops his test machine in the evening.
        diary.add(inRole(roles.developer, developer.name, begin, { address: developer.address, agent: CLI }), {
          action: 'ec2:StopInstances',
          at: day + 18 * HOUR,
          region: HOME_REGION,
          request: { instancesSet: { items: [{ instanceId: developmentServers[0] }] }, force: false },
          response: { requestId: random.uuid(), instancesSet: { items: [{ instanceId: developmentServers[0] }] } },
        });
      }
    }
  }
  for (const day of days) {
    const at = day + 4 * HOUR;
    const caller = asTerraform(at);
    const reads = [
      'ec2:DescribeVpcs',
      'ec2:DescribeSubnets',
      'iam:GetRole',
      's3:GetBucketPolicy',
      'sts:GetCallerIdentity',
    ];
    for (const [index, action] of reads.entries()) {
      diary.add(caller, { action, at: at + index * 3000, region: HOME_REGION });
    }
    for (let hour = 0; hour < 24; hour += 3) {
      const tick = day + hour * HOUR + 31 * MINUTE;
      const sandbox = inRole(roles.sandbox, 'sandbox-function', tick, { address: '192.0.2.60', agent: CLI });
      diary.add(sandbox, {
        action: 'logs:CreateLogStream',
        at: tick,
        region: SECOND_REGION,
        request: { logGroupName: '/aws/lambda/sandbox', logStreamName: `${datePath(tick)}/${random.text(HEX, 32)}` },
      });
      diary.add(sandbox, {
        action: 'dynamodb:DescribeTable',
        at: tick + 1500,
        region: SECOND_REGION,
        request: { tableName: 'sandbox' },
      });
      putObject(diary, sandbox, tick + 3000, buckets.sandbox, `state/${datePath(tick)}/${hour}.json`, 'default');
    }
  }
  return diary.happenings;
}

export const ordinaryWeek = (): readonly Happening[] =>
  [cluster, shop, awsServices, backups, deployments, office, development].flatMap((actor) => actor());
