/** The organisation of the benchmark's archive: five accounts whose people, roles and services do ordinary things all day. */
import { HEX, LETTERS_AND_DIGITS, Random, UPPER_AND_DIGITS } from '../scripts/support/random.ts';
import {
  accessKey,
  type Call,
  type Caller,
  hostId,
  iso,
  type Json,
  record,
  roleIdentity,
  rootIdentity,
  s3Additional,
  s3Resources,
  serviceCaller,
  uniqueId,
  userIdentity,
} from '../scripts/support/records.ts';
import type { FileJob } from './corpus.ts';

export const ACCOUNTS = ['111122223333', '222233334444', '333344445555', '444455556666', '555566667777'] as const;
export const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-2'] as const;

/** Real archives repeat themselves: with this probability a record is an earlier one of its file with a new time and new ids. */
const REPEAT_SHARE = 0.72;
/** How many earlier records of a file can be repeated. */
const MEMORY = 12;
/** A log file holds the records of about the last five and a half minutes. */
const FILE_SPAN_MS = 330_000;
const HOUR_MS = 3_600_000;
const USERS_PER_ACCOUNT = 40;
const ROLES_PER_ACCOUNT = 60;

const AGENTS = [
  'aws-sdk-go-v2/1.41.1 os/linux lang/go#1.25.5 md/GOOS#linux md/GOARCH#amd64 api/s3#1.95.0',
  'Boto3/1.42.30 md/Botocore#1.42.30 ua/2.1 os/linux#6.8.0-1044-aws md/arch#x86_64 lang/python#3.13.11 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.42.30',
  'aws-cli/2.33.2 md/awscrt#0.29.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.11 md/prompt#off md/command#ec2.describe-instances',
  'APN/1.0 HashiCorp/1.0 Terraform/1.14.3 (+https://www.terraform.io) terraform-provider-aws/6.28.0 aws-sdk-go-v2/1.41.1 os/linux lang/go#1.25.5',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36',
  'S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488',
  'kube-controller-manager/v1.34.2 aws-sdk-go/1.55.8',
] as const;
const SERVICES = ['ec2', 'autoscaling', 'config', 'lambda', 'eks', 'cloudtrail', 'ssm'].map(
  (name) => `${name}.amazonaws.com`,
);

const list = <T>(length: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length }, (_, index) => make(index));

const world = new Random('benchmark world');
const address = (): string => `${world.pick(['192.0.2', '198.51.100'])}.${1 + world.below(254)}`;
const named =
  (prefix: string): (() => string) =>
  () =>
    `${prefix}${world.text(HEX, 16)}`;

const users = ACCOUNTS.flatMap((account) =>
  list(USERS_PER_ACCOUNT, () => ({
    account,
    name: `${world.pick(['mary', 'mateo', 'nikki', 'svc-backup', 'svc-deploy', 'ci', 'etl'])}.${world.text(HEX, 4)}`,
    id: uniqueId('AIDA', world),
    key: accessKey('AKIA', world),
    address: address(),
    agent: world.pick(AGENTS),
    region: world.pick(REGIONS),
  })),
);
const roles = ACCOUNTS.flatMap((account) =>
  list(ROLES_PER_ACCOUNT, () => {
    const kind = world.pick(['eks-node', 'lambda-exec', 'deploy', 'ec2-app', 'etl', 'readonly-audit', 'batch']);
    const onMachines = kind === 'eks-node' || kind === 'ec2-app';
    return {
      account,
      name: `${kind}-${world.text(HEX, 8)}`,
      id: uniqueId('AROA', world),
      agent: world.pick(AGENTS),
      onMachines,
      sessions: list(1 + world.below(20), () => ({
        name: onMachines ? `i-0${world.text(HEX, 16)}` : `session-${world.below(1_000_000)}`,
        address: address(),
      })),
    };
  }),
);
const buckets = list(60, () => `${world.pick(['prod', 'dev', 'logs', 'data-lake', 'backup'])}-${world.text(HEX, 6)}`);
const keys = list(20, () => world.uuid());
const instances = list(300, named('i-0'));
const volumes = list(100, named('vol-0'));
const groups = list(60, named('sg-0'));
const subnets = list(40, named('subnet-0'));
const functions = list(80, () => `fn-${world.text(HEX, 6)}`);

/** Skewed to the first ones: few principals make most of the calls. */
const skewed = <T>(random: Random, items: readonly T[], power: number): T => {
  const item = items[Math.floor(random.next() ** power * items.length)];
  if (item === undefined) throw new Error('cannot pick from an empty list');
  return item;
};

export interface Where {
  readonly account: string;
  readonly region: string;
  readonly at: number;
}

interface Kind {
  readonly weight: number;
  readonly action: string;
  call(random: Random, where: Where): Partial<Call>;
}
const items = (values: readonly unknown[]): Json => ({ items: values });
const filters = (name: string, values: readonly string[]): Json => ({
  filterSet: items([{ name, valueSet: items(values.map((value) => ({ value }))) }]),
});
const kmsKey = (random: Random, { account, region }: Where): string =>
  `arn:aws:kms:${region}:${account}:key/${random.pick(keys)}`;

/** What accounts do all day; the weights follow the shares seen in real archives. */
const KINDS: readonly Kind[] = [
  {
    weight: 14,
    action: 'ec2:DescribeInstances',
    call: (random) => ({
      request: random.chance(0.4)
        ? { instancesSet: items([{ instanceId: random.pick(instances) }]), filterSet: {} }
        : { maxResults: 1000, instancesSet: {}, ...filters('tag:kubernetes.io/cluster/prod', ['owned', 'shared']) },
    }),
  },
  {
    weight: 5,
    action: 'ec2:DescribeVolumes',
    call: (random) => ({
      request: {
        volumeSet: items(list(1 + random.below(6), () => ({ volumeId: random.pick(volumes) }))),
        filterSet: {},
      },
    }),
  },
  {
    weight: 4,
    action: 'ec2:DescribeSecurityGroups',
    call: (random) => ({
      request: {
        securityGroupSet: {},
        securityGroupIdSet: items(list(1 + random.below(4), () => ({ groupId: random.pick(groups) }))),
        filterSet: {},
      },
    }),
  },
  {
    weight: 4,
    action: 'ec2:DescribeNetworkInterfaces',
    call: (random) => ({
      request: {
        networkInterfaceIdSet: {},
        ...filters(
          'attachment.instance-id',
          list(1 + random.below(5), () => random.pick(instances)),
        ),
      },
    }),
  },
  {
    weight: 14,
    action: 'sts:AssumeRole',
    call: (random) => {
      const role = skewed(random, roles, 3);
      const session = random.pick(role.sessions).name;
      const arn = `arn:aws:iam::${role.account}:role/${role.name}`;
      return {
        request: { roleArn: arn, roleSessionName: session, durationSeconds: 3600 },
        response: {
          credentials: {
            accessKeyId: accessKey('ASIA', random),
            sessionToken: `${random.text(LETTERS_AND_DIGITS, 90)}${'IQoJb3JpZ2luX2VjE'.repeat(6)}`,
            expiration: 'Jan 15, 2026, 3:15:42 PM',
          },
          assumedRoleUser: {
            assumedRoleId: `${role.id}:${session}`,
            arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session}`,
          },
        },
        resources: [{ accountId: role.account, type: 'AWS::IAM::Role', ARN: arn }],
        extra: { sharedEventID: random.uuid() },
      };
    },
  },
  { weight: 4, action: 'sts:GetCallerIdentity', call: () => ({}) },
  {
    weight: 9,
    action: 's3:GetObject',
    call: (random, { account }) => {
      const bucket = random.pick(buckets);
      const key = `data/year=2026/month=01/day=${10 + random.below(20)}/part-${random.below(2000)}-${random.pick(keys)}.snappy.parquet`;
      return {
        request: { bucketName: bucket, Host: 's3.amazonaws.com', key },
        additional: s3Additional(random, 0, random.below(1_000_000)),
        resources: s3Resources(account, bucket, key),
      };
    },
  },
  {
    weight: 4,
    action: 's3:PutObject',
    call: (random, where) => {
      const bucket = random.pick(buckets);
      const key = `logs/app/${random.below(1_000_000)}.json.gz`;
      return {
        request: {
          bucketName: bucket,
          Host: 's3.amazonaws.com',
          'x-amz-server-side-encryption': 'aws:kms',
          key,
          'x-amz-acl': 'bucket-owner-full-control',
        },
        response: {
          'x-amz-server-side-encryption': 'aws:kms',
          'x-amz-server-side-encryption-aws-kms-key-id': kmsKey(random, where),
          'x-amz-version-id': random.text(LETTERS_AND_DIGITS, 32),
        },
        additional: s3Additional(random, random.below(1_000_000), 0, 'SSE_KMS'),
        resources: s3Resources(where.account, bucket, key),
      };
    },
  },
  {
    weight: 3,
    action: 's3:ListBuckets',
    call: (random) => ({
      request: { Host: 's3.us-east-1.amazonaws.com' },
      additional: s3Additional(random, 0, random.below(10_000)),
    }),
  },
  {
    weight: 2,
    action: 's3:GetBucketAcl',
    call: (random) => ({
      request: { bucketName: random.pick(buckets), Host: 's3.amazonaws.com', acl: '' },
      additional: s3Additional(random, 0, 550),
    }),
  },
  {
    weight: 9,
    action: 'kms:Decrypt',
    call: (random, where) => {
      const keyId = kmsKey(random, where);
      return {
        request: {
          encryptionContext: { 'aws:s3:arn': `arn:aws:s3:::${random.pick(buckets)}` },
          encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
          keyId,
        },
        resources: [{ accountId: where.account, type: 'AWS::KMS::Key', ARN: keyId }],
        extra: { sharedEventID: random.uuid() },
      };
    },
  },
  {
    weight: 4,
    action: 'kms:GenerateDataKey',
    call: (random, where) => {
      const keyId = kmsKey(random, where);
      return {
        request: {
          keySpec: 'AES_256',
          encryptionContext: { 'aws:s3:arn': `arn:aws:s3:::${random.pick(buckets)}/logs/${random.below(1_000_000)}` },
          keyId,
        },
        resources: [{ accountId: where.account, type: 'AWS::KMS::Key', ARN: keyId }],
        extra: { sharedEventID: random.uuid() },
      };
    },
  },
  { weight: 3, action: 'secretsmanager:GetSecretValue', call: () => ({ request: { secretId: 'prod/db' } }) },
  {
    weight: 3,
    action: 'dynamodb:DescribeTable',
    call: (random) => ({ request: { tableName: `table-${random.below(30)}` } }),
  },
  {
    weight: 3,
    action: 'logs:CreateLogStream',
    call: (random, { at }) => ({
      request: {
        logGroupName: `/aws/lambda/${random.pick(functions)}`,
        logStreamName: `${iso(at).slice(0, 10).replaceAll('-', '/')}/[$LATEST]${random.text(HEX, 32)}`,
      },
    }),
  },
  {
    weight: 2,
    action: 'lambda:Invoke',
    call: (random, { account, region }) => ({
      request: {
        functionName: `arn:aws:lambda:${region}:${account}:function:${random.pick(functions)}`,
        invocationType: 'RequestResponse',
      },
    }),
  },
  {
    weight: 1,
    action: 'lambda:UpdateFunctionConfiguration20150331v2',
    call: (random, { account }) => {
      const functionName = random.pick(functions);
      return {
        request: { functionName, environment: { variables: {} }, memorySize: 512 },
        response: {
          functionName,
          runtime: 'nodejs24.x',
          role: `arn:aws:iam::${account}:role/lambda-exec`,
          handler: 'index.handler',
          codeSize: random.below(10_000_000),
          description: '',
          timeout: 30,
          memorySize: 512,
          codeSha256: `${random.text(LETTERS_AND_DIGITS, 43)}=`,
          version: '$LATEST',
          vpcConfig: { subnetIds: [random.pick(subnets)], securityGroupIds: [random.pick(groups)], vpcId: 'vpc-0abc' },
          revisionId: random.uuid(),
          state: 'Active',
          packageType: 'Zip',
          architectures: ['x86_64'],
          ephemeralStorage: { size: 512 },
        },
      };
    },
  },
  {
    weight: 2,
    action: 'elasticloadbalancing:DescribeTargetHealth',
    call: (random, { account, region }) => ({
      request: {
        targetGroupArn: `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/k8s-${random.text(HEX, 10)}/${random.text(HEX, 16)}`,
      },
    }),
  },
  {
    weight: 2,
    action: 'autoscaling:DescribeAutoScalingGroups',
    call: (random) => ({
      request: {
        autoScalingGroupNames: list(1 + random.below(8), (index) => `eks-ng-${index}-0123456789abcdef`),
        maxRecords: 100,
      },
    }),
  },
  {
    weight: 2,
    action: 'ssm:UpdateInstanceInformation',
    call: (random) => ({
      request: {
        agentName: 'amazon-ssm-agent',
        agentVersion: '3.3.3572.0',
        agentStatus: 'Active',
        platformType: 'Linux',
        platformName: 'Amazon Linux',
        platformVersion: '2023',
        computerName: 'ip-10-0.ec2.internal',
        instanceId: random.pick(instances),
      },
    }),
  },
  { weight: 2, action: 'iam:GetRole', call: (random) => ({ request: { roleName: random.pick(roles).name } }) },
  {
    weight: 1,
    action: 'iam:ListAttachedRolePolicies',
    call: (random) => ({ request: { roleName: random.pick(roles).name, maxItems: 100 } }),
  },
  {
    weight: 0.4,
    action: 'ec2:AuthorizeSecurityGroupIngress',
    call: (random) => {
      const groupId = random.pick(groups);
      const ipRanges = items([{ cidrIp: '10.0.0.0/8' }]);
      return {
        request: {
          groupId,
          ipPermissions: items([
            { ipProtocol: 'tcp', fromPort: 443, toPort: 443, groups: {}, ipRanges, ipv6Ranges: {}, prefixListIds: {} },
          ]),
        },
        response: { requestId: random.uuid(), _return: true },
      };
    },
  },
  {
    weight: 1,
    action: 'ec2:RunInstances',
    call: (random, { account, region }) => ({
      request: {
        instancesSet: items([{ imageId: `ami-0${random.text(HEX, 16)}`, minCount: 1, maxCount: 1 }]),
        userData: '<sensitiveDataRemoved>',
        instanceType: 'm7g.large',
        monitoring: { enabled: false },
        subnetId: random.pick(subnets),
        clientToken: random.uuid(),
        tagSpecificationSet: items([{ resourceType: 'instance', tags: [{ key: 'Name', value: 'worker' }] }]),
      },
      response: startedInstance(random, account, region),
    }),
  },
  {
    weight: 0.12,
    action: 'ecs:RegisterTaskDefinition',
    call: (random) => ({
      request: {
        family: 'big',
        containerDefinitions: list(15 + random.below(60), (index) => ({
          name: `c${index}`,
          image: `111122223333.dkr.ecr.us-east-1.amazonaws.com/app-${index}:${random.text(HEX, 12)}`,
          cpu: 256,
          memory: 512,
          portMappings: [{ containerPort: 8080, hostPort: 0, protocol: 'tcp' }],
          essential: true,
          environment: list(8, (name) => ({ name: `ENV_VAR_${name}`, value: random.text(HEX, 12) })),
          logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/ecs/big' } },
        })),
      },
      response: { taskDefinition: { family: 'big', revision: random.below(1000), status: 'ACTIVE' } },
      extra: { eventContext: { requestContext: { 'aws:SourceVpc': 'vpc-1' }, tagContext: null } },
    }),
  },
  {
    weight: 0.4,
    action: 'signin:ConsoleLogin',
    call: () => ({
      eventType: 'AwsConsoleSignIn',
      additional: {
        LoginTo: 'https://console.aws.amazon.com/console/home?state=hashArgs%23&isauthcode=true',
        MobileVersion: 'No',
        MFAUsed: 'Yes',
      },
      response: { ConsoleLogin: 'Success' },
    }),
  },
];

function startedInstance(random: Random, account: string, region: string): Json {
  const instanceId = `i-0${random.text(HEX, 16)}`;
  const network = {
    networkInterfaceId: `eni-0${random.text(HEX, 16)}`,
    subnetId: random.pick(subnets),
    vpcId: 'vpc-0abc',
    ownerId: account,
    status: 'in-use',
    macAddress: '0a:11:22:33:44:55',
    privateIpAddress: '10.0.1.5',
    sourceDestCheck: true,
    groupSet: items([{ groupId: random.pick(groups), groupName: 'default' }]),
    attachment: { attachmentId: `eni-attach-0${random.text(HEX, 16)}`, deviceIndex: 0, status: 'attaching' },
  };
  return {
    requestId: random.uuid(),
    reservationId: `r-0${random.text(HEX, 16)}`,
    ownerId: account,
    groupSet: {},
    instancesSet: items([
      {
        instanceId,
        imageId: `ami-0${random.text(HEX, 16)}`,
        instanceState: { code: 0, name: 'pending' },
        privateDnsName: `ip-10-0-1-${random.below(256)}.ec2.internal`,
        instanceType: 'm7g.large',
        launchTime: 1_768_000_000_000 + random.below(100_000_000),
        placement: { availabilityZone: `${region}a`, tenancy: 'default' },
        monitoring: { state: 'disabled' },
        stateReason: { code: 'pending', message: 'pending' },
        architecture: 'arm64',
        rootDeviceType: 'ebs',
        networkInterfaceSet: items([network]),
        iamInstanceProfile: {
          arn: `arn:aws:iam::${account}:instance-profile/app`,
          id: `AIPA${random.text(UPPER_AND_DIGITS, 17)}`,
        },
        metadataOptions: { state: 'pending', httpTokens: 'required', httpPutResponseHopLimit: 2 },
        tagSet: items([
          { key: 'Name', value: 'worker' },
          { key: 'env', value: 'prod' },
        ]),
      },
    ]),
  };
}

const totalWeight = KINDS.reduce((total, kind) => total + kind.weight, 0);
function kindOf(random: Random): Kind {
  let rest = random.next() * totalWeight;
  const kind = KINDS.find(({ weight }) => {
    rest -= weight;
    return rest < 0;
  });
  return kind ?? random.pick(KINDS);
}

/** 70% roles, 17% users, the rest AWS services. */
function callerOf(random: Random, kind: Kind, { account, region, at }: Where): Caller {
  const share = random.next();
  const own = <T extends { account: string }>(all: readonly T[]): readonly T[] =>
    all.filter((one) => one.account === account);
  if (kind.action === 'signin:ConsoleLogin' || (share >= 0.7 && share < 0.87)) {
    const user = skewed(random, own(users), 2);
    return { identity: userIdentity(user), address: user.address, agent: user.agent, account };
  }
  if (share >= 0.87) return serviceCaller(account, random.pick(SERVICES));
  const role = skewed(random, own(roles), 3);
  const session = skewed(random, role.sessions, 2);
  const created = at - (at % (6 * HOUR_MS));
  const key = accessKey('ASIA', new Random(`${role.id}${session.name}${created}${region}`));
  return {
    identity: roleIdentity(role, { name: session.name, key, created, mfa: false, ec2: role.onMachines }),
    address: session.address,
    agent: role.agent,
    account,
  };
}

/** A role may not do all that its program tries, and AWS slows busy ones down: about one call in a hundred fails. */
function errorOf(random: Random, action: string): Call['error'] {
  const share = random.next();
  if (share < 0.002) return { code: 'AccessDenied', message: `User is not authorized to perform: ${action}` };
  if (share < 0.01) return { code: 'ThrottlingException', message: 'Rate exceeded' };
  return undefined;
}

function ordinary(random: Random, where: Where): Json {
  const kind = kindOf(random);
  const error = kind.action === 'signin:ConsoleLogin' ? undefined : errorOf(random, kind.action);
  const call = { action: kind.action, at: where.at, region: where.region, ...kind.call(random, where) };
  return record(callerOf(random, kind, where), error === undefined ? call : { ...call, error }, random);
}

/** The same call again, later. */
function again(earlier: Json, at: number, random: Random): Json {
  const isS3 = earlier['eventSource'] === 's3.amazonaws.com';
  const additional = earlier['additionalEventData'] as Json | undefined;
  return {
    ...earlier,
    eventTime: iso(at),
    // S3 has an id of its own for each request, which no compression can shorten.
    ...(isS3 && additional !== undefined
      ? { additionalEventData: { ...additional, 'x-amz-id-2': hostId(random) } }
      : {}),
    requestID: isS3 ? random.text(UPPER_AND_DIGITS, 16) : random.uuid(),
    eventID: random.uuid(),
    ...(earlier['sharedEventID'] === undefined ? {} : { sharedEventID: random.uuid() }),
  };
}

/** Planted, in turn: what a detector must find among all this. */
export const INCIDENTS: readonly {
  readonly name: string;
  records(random: Random, where: Where): readonly Json[];
}[] = [
  {
    name: 'the trail is stopped',
    records: (random, where) => [
      record(
        intruder(random, where),
        { action: 'cloudtrail:StopLogging', at: where.at, region: where.region, request: { name: 'org-trail' } },
        random,
      ),
    ],
  },
  {
    name: 'root makes itself a key',
    records: (random, { account, at }) => [
      record(
        {
          identity: rootIdentity(account, accessKey('ASIA', random), { created: at - 60_000, mfa: false }),
          address: '203.0.113.9',
          agent: AGENTS[4],
          account,
        },
        {
          action: 'iam:CreateAccessKey',
          at,
          region: 'us-east-1',
          response: { accessKey: { accessKeyId: accessKey('AKIA', random), status: 'Active' } },
        },
        random,
      ),
    ],
  },
  {
    name: 'a fleet is terminated',
    records: (random, where) => [
      record(
        intruder(random, where),
        {
          action: 'ec2:TerminateInstances',
          at: where.at,
          region: where.region,
          request: { instancesSet: items(instances.slice(0, 20).map((instanceId) => ({ instanceId }))) },
          response: { requestId: random.uuid() },
        },
        random,
      ),
    ],
  },
  {
    name: 'a stranger is refused again and again',
    records: (random, where) => {
      const caller = intruder(random, where);
      return list(60, (index) => {
        const action = `${random.pick(['iam', 'rds', 'eks', 'sns', 'sqs'])}:List${['Users', 'Roles', 'Keys', 'Topics', 'Queues', 'Clusters', 'Groups', 'Tags', 'Grants', 'Stacks', 'Exports', 'Policies'][index % 12]}`;
        const error = { code: 'AccessDenied', message: `User is not authorized to perform: ${action}` };
        return record(caller, { action, at: where.at + index * 3000, region: where.region, error }, random);
      });
    },
  },
];

function intruder(random: Random, { account }: Where): Caller {
  const user = skewed(
    random,
    users.filter((one) => one.account === account),
    1,
  );
  return { identity: userIdentity(user), address: '203.0.113.77', agent: AGENTS[2], account };
}

/** The JSON of one log file. */
export function logFileText(job: FileJob): { text: string; records: number } {
  const random = new Random(job.seed);
  const where = (at: number): Where => ({ account: job.account, region: job.region, at });
  const texts: string[] = [];
  const memory: Json[] = [];
  const step = FILE_SPAN_MS / job.records;
  let at = job.delivered - FILE_SPAN_MS;
  for (let index = 0; index < job.records; index++) {
    at += step * 2 * random.next();
    let next: Json;
    if (memory.length > 0 && random.chance(REPEAT_SHARE)) next = again(random.pick(memory), at, random);
    else {
      next = ordinary(random, where(at));
      // Who is refused does not go on and on: that would be no ordinary day.
      if (next['errorCode'] === undefined) {
        if (memory.length < MEMORY) memory.push(next);
        else memory[random.below(MEMORY)] = next;
      }
    }
    texts.push(JSON.stringify(next));
  }
  const incident = INCIDENTS.find(({ name }) => name === job.incident);
  const planted = incident?.records(random, where(job.delivered - FILE_SPAN_MS)) ?? [];
  for (const one of planted) texts.push(JSON.stringify(one));
  return { text: `{"Records":[${texts.join(',')}]}`, records: texts.length };
}
