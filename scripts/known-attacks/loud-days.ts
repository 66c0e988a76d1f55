/** What makes an archive loud without an attack: every day a scanner is refused and a pipeline changes rights and firewalls, every week somebody breaks the glass as root. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNTS, REGIONS } from '../../bench/world.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/time.ts';
import { Random } from '../support/random.ts';
import {
  accessKey,
  type Call,
  type Caller,
  iso,
  type Json,
  record,
  roleIdentity,
  rootIdentity,
  uniqueId,
} from '../support/records.ts';

const [REGION] = REGIONS;
const SCANS_A_DAY = 2;
/** Refused calls of a scan, one every two seconds. */
const SCANNED = 180;
const DAYS_A_WEEK = 7;
const AGENT = 'Boto3/1.42.30 md/Botocore#1.42.30 ua/2.1 os/linux#6.8.0 lang/python#3.13.11 Botocore/1.42.30';
const BROWSER =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36';
const SERVICES = ['iam', 'rds', 'eks', 'sns', 'sqs', 'kms', 'ecr', 'glue', 'dynamodb', 'secretsmanager'];
const THINGS = ['Users', 'Roles', 'Keys', 'Topics', 'Queues', 'Clusters', 'Groups', 'Tags', 'Grants', 'Stacks'];

type Step = Pick<Call, 'action' | 'request' | 'response' | 'error' | 'eventType' | 'additional'>;

/** Writes the log files of these days, one for each account and day; returns how many records they hold. */
export function writeLoudDays(dir: string, firstDayMs: number, days: number): number {
  mkdirSync(dir, { recursive: true });
  let written = 0;
  for (const account of ACCOUNTS) {
    const random = new Random(`loud ${account}`);
    const ids = { scanner: uniqueId('AROA', random), pipeline: uniqueId('AROA', random) };
    for (let day = 0; day < days; day++) {
      const dayMs = firstDayMs + day * DAY_MS;
      const role = (name: keyof typeof ids, address: string): Caller => ({
        identity: roleIdentity(
          { account, name: `security-${name}`, id: ids[name] },
          { name, key: accessKey('ASIA', random), created: dayMs, mfa: false },
        ),
        address,
        agent: AGENT,
        account,
      });
      const isGlassDay = day % DAYS_A_WEEK === ACCOUNTS.indexOf(account);
      const records = [
        ...scans(role('scanner', '192.0.2.200'), dayMs + 2 * HOUR_MS, random),
        ...deployment(role('pipeline', '192.0.2.201'), dayMs + 9 * HOUR_MS, day, random),
        ...(isGlassDay ? brokenGlass(account, dayMs + 15 * HOUR_MS, random) : []),
      ];
      const name = `${account}_CloudTrail_${REGION}_${iso(dayMs).slice(0, 10).replaceAll('-', '')}T2355Z_loud.json`;
      writeFileSync(join(dir, name), JSON.stringify({ Records: records }));
      written += records.length;
    }
  }
  return written;
}

function scans(scanner: Caller, startMs: number, random: Random): Json[] {
  return Array.from({ length: SCANS_A_DAY * SCANNED }, (_, index) => {
    const action = `${random.pick(SERVICES)}:List${random.pick(THINGS)}`;
    const error = { code: 'AccessDenied', message: `User is not authorized to perform: ${action}` };
    const at = startMs + Math.floor(index / SCANNED) * 6 * HOUR_MS + (index % SCANNED) * 2000;
    return record(scanner, { action, at, region: REGION, error }, random);
  });
}

function deployment(pipeline: Caller, startMs: number, day: number, random: Random): Json[] {
  const { account } = pipeline;
  const role = `release-${day}`;
  const user = `release-${day}`;
  const group = `sg-0${random.text('0123456789abcdef', 16)}`;
  const port = { ipProtocol: 'tcp', fromPort: 8443, toPort: 8443, ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } };
  const steps: readonly Step[] = [
    {
      action: 'iam:CreateRole',
      request: {
        roleName: role,
        assumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
        }),
      },
      response: { role: { roleName: role, arn: `arn:aws:iam::${account}:role/${role}` } },
    },
    {
      action: 'iam:AttachRolePolicy',
      request: { roleName: role, policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
    },
    {
      action: 'iam:CreateUser',
      request: { userName: user },
      response: { user: { userName: user, arn: `arn:aws:iam::${account}:user/${user}` } },
    },
    {
      action: 'iam:CreateAccessKey',
      request: { userName: user },
      response: { accessKey: { userName: user, accessKeyId: accessKey('AKIA', random), status: 'Active' } },
    },
    {
      action: 'ec2:AuthorizeSecurityGroupIngress',
      request: { groupId: group, ipPermissions: { items: [port] } },
      response: { _return: true },
    },
    {
      action: 'lambda:UpdateFunctionCode20150331v2',
      request: { functionName: `fn-${day}`, publish: false },
      response: { functionName: `fn-${day}` },
    },
  ];
  return steps.map((step, index) =>
    record(pipeline, { ...step, at: startMs + index * MINUTE_MS, region: REGION }, random),
  );
}

function brokenGlass(account: string, startMs: number, random: Random): Json[] {
  const caller: Caller = {
    identity: rootIdentity(account, accessKey('ASIA', random), { created: startMs, mfa: true }),
    address: '192.0.2.202',
    agent: BROWSER,
    account,
  };
  const steps: readonly Step[] = [
    {
      action: 'signin:ConsoleLogin',
      eventType: 'AwsConsoleSignIn',
      additional: { MFAUsed: 'Yes', MobileVersion: 'No', LoginTo: 'https://console.aws.amazon.com/' },
      response: { ConsoleLogin: 'Success' },
    },
    { action: 'account:GetContactInformation' },
    { action: 's3:DeleteBucketPolicy', request: { bucketName: `locked-${random.below(10)}` } },
  ];
  return steps.map((step, index) =>
    record(caller, { ...step, at: startMs + index * MINUTE_MS, region: REGION }, random),
  );
}
