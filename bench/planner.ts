/** What the number of conditions costs: conditions as published rules have them, all of them distinct. */
import { type Condition, type Detector, defineDetector } from '../src/detector.ts';

/** What planner-process.ts tells. */
export interface PlannerCost {
  /** Of the hunt alone, without the start of the process. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly statements: number;
  /** Characters of the longest statement. */
  readonly longest: number;
  /** Columns that were read. */
  readonly columns: number;
}

export const CONDITION_COUNTS = [1, 10, 50, 150, 500] as const;

/** Calls that rules look for. Some of them are ordinary in the archive, most do not occur. */
const CALLS: readonly (readonly [source: string, names: readonly string[]])[] = [
  ['cloudtrail', ['StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors']],
  [
    'ec2',
    [
      'DescribeInstances',
      'RunInstances',
      'ModifySnapshotAttribute',
      'AuthorizeSecurityGroupIngress',
      'GetPasswordData',
      'DeleteFlowLogs',
      'CreateKeyPair',
      'ModifyImageAttribute',
    ],
  ],
  ['guardduty', ['DeleteDetector', 'UpdateDetector', 'CreateFilter', 'CreateIPSet']],
  [
    'iam',
    [
      'CreateUser',
      'CreateAccessKey',
      'AttachUserPolicy',
      'PutRolePolicy',
      'UpdateAssumeRolePolicy',
      'CreateLoginProfile',
      'DeactivateMFADevice',
      'ListUsers',
    ],
  ],
  ['kms', ['Decrypt', 'ScheduleKeyDeletion', 'DisableKey', 'PutKeyPolicy']],
  ['lambda', ['UpdateFunctionCode20150331v2', 'AddPermission20150331v2', 'CreateFunction20150331']],
  ['organizations', ['LeaveOrganization', 'InviteAccountToOrganization', 'DetachPolicy']],
  ['rds', ['ModifyDBInstance', 'ModifyDBSnapshotAttribute', 'DeleteDBCluster', 'RestoreDBInstanceFromDBSnapshot']],
  [
    's3',
    [
      'GetObject',
      'PutBucketPolicy',
      'PutBucketAcl',
      'DeleteBucketPublicAccessBlock',
      'PutBucketLifecycle',
      'DeleteObjects',
    ],
  ],
  ['secretsmanager', ['GetSecretValue', 'DeleteSecret', 'PutResourcePolicy']],
  ['signin', ['ConsoleLogin', 'SwitchRole', 'PasswordRecoveryRequested']],
  ['ssm', ['SendCommand', 'StartSession', 'GetParameters', 'ModifyDocumentPermission']],
  ['sts', ['AssumeRole', 'GetCallerIdentity', 'GetFederationToken', 'GetSessionToken']],
];

/** What rules ask beside the call; each value stands in one rule alone. */
const ASIDES: readonly ((value: number) => Condition)[] = [
  (value) => ({ outcome: 'success', user_agent: { contains: `tool-${value}/` } }),
  (value) => ({ 'request_parameters.name': { startswith: `rule-${value}-` } }),
  (value) => ({ source_ip: `203.0.113.${value % 256}`, aws_region: { startswith: `rule-${value}` } }),
  (value) => ({ user_type: 'AssumedRole', principal: { contains: `role/rule-${value}` } }),
  (value) => ({
    all: [{ not: { principal: { contains: `role/usual-${value}` } } }, { user_agent: { re: `^rule${value}[.]` } }],
  }),
  (value) => ({ 'request_parameters.ipPermissions.items[].ipRanges.items[].cidrIp': `203.0.113.${value % 256}/32` }),
  (value) => ({ error_code: [`Client.Rule${value}`, 'AccessDenied'], user_type: 'Root' }),
  (value) => ({ source_ip: { cidr: `10.${value % 256}.${value >> 8}.0/24` } }),
  (value) => ({ 'response_elements.user.userName': { contains: `rule-${value}` }, outcome: 'success' }),
  (value) => ({ 'request_parameters.policyDocument': { contains: `rule-${value}` }, user_type: 'IAMUser' }),
  (value) => ({ error_message: { contains: `rule ${value}` } }),
];

/** So many rules of which each event is a finding. */
export function detectorsOf(count: number): readonly Detector[] {
  const calls = CALLS.flatMap(([source, names]) => names.map((name) => ({ source, name })));
  return Array.from({ length: count }, (_, at): Detector => {
    const { source, name } = calls[at % calls.length] as (typeof calls)[number];
    const aside = ASIDES[(at + Math.floor(at / calls.length)) % ASIDES.length] as (typeof ASIDES)[number];
    return defineDetector({
      id: `rule-${at}`,
      title: `Rule ${at}`,
      description: 'A rule of the benchmark.',
      severity: 'low',
      severityReason: 'It is one of the benchmark.',
      table: 'cloudtrail',
      attack: [],
      when: { all: [{ event_source: `${source}.amazonaws.com`, event_name: name }, aside(at)] },
      slot: 'event',
      subject: ['principal'],
      summary: '{principal} called {event_name} from {source_address} with {user_agent}',
      falsePositives: [],
      blindSpots: [],
      examples: [],
    });
  });
}
