/** An alert as Security Hub takes it: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html */
import { isIPv4, isIPv6 } from 'node:net';
import type { Alert, AlertStatus, Severity } from './alert.ts';
import { knownOfAddress, withKnown } from './alert-text.ts';
import { shown, valueText } from './printable.ts';

/** Lengths in characters: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html */
const TITLE_MAX = 256;
const DESCRIPTION_MAX = 1024;
const ID_MAX = 512;
const RESOURCES_MAX = 32;
const REGION_MAX = 16;
/** Security Hub takes 50 of 128 and 2048 characters, which need not fit into the 240 KB of a finding. */
const FIELDS_MAX = 30;
const FIELD_NAME_MAX = 128;
const FIELD_VALUE_MAX = 1000;

export interface AsffPlace {
  /** The account that imports the finding: Security Hub takes no other with the default product. */
  readonly account: string;
  /** Where it is imported. */
  readonly region: string;
}

export interface AsffResource {
  readonly Type: string;
  readonly Id: string;
  readonly Partition: 'aws' | 'aws-cn' | 'aws-us-gov';
  readonly Region?: string;
}

/** The part of AwsSecurityFinding that we fill. */
export interface AsffFinding {
  readonly SchemaVersion: '2018-10-08';
  readonly Id: string;
  readonly ProductArn: string;
  readonly ProductName: string;
  readonly CompanyName: string;
  readonly GeneratorId: string;
  readonly AwsAccountId: string;
  readonly Types: string[];
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
  readonly FirstObservedAt: string;
  readonly LastObservedAt: string;
  readonly Severity: AsffSeverity;
  readonly FindingProviderFields: { readonly Severity: AsffSeverity; readonly Types: string[] };
  readonly Title: string;
  readonly Description: string;
  readonly ProductFields: Record<string, string>;
  readonly Resources: AsffResource[];
  readonly Network?: { readonly SourceIpV4?: string; readonly SourceIpV6?: string };
  readonly RecordState: 'ACTIVE' | 'ARCHIVED';
  /** Taken with the first import only: later ones leave it to those who work with the finding. */
  readonly Workflow: { readonly Status: 'NEW' | 'NOTIFIED' | 'RESOLVED' | 'SUPPRESSED' };
}

interface AsffSeverity {
  readonly Label: 'INFORMATIONAL' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
  readonly Original: string;
}

const LABEL: Readonly<Record<Severity, AsffSeverity['Label']>> = {
  informational: 'INFORMATIONAL',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  critical: 'CRITICAL',
};

const WORKFLOW: Readonly<Record<AlertStatus, AsffFinding['Workflow']['Status']>> = {
  open: 'NEW',
  acknowledged: 'NOTIFIED',
  closed: 'RESOLVED',
  withdrawn: 'RESOLVED',
  suppressed: 'SUPPRESSED',
};

/** `updatedAt`, ISO 8601: Security Hub takes an update only when it is later than the one before. */
export function toAsff(alert: Alert, { account, region }: AsffPlace, updatedAt: string): AsffFinding {
  const partition = partitionOf(region);
  const severity: AsffSeverity = { Label: LABEL[alert.severity], Original: alert.severity };
  const isOver = alert.status !== 'open' && alert.status !== 'acknowledged';
  const v4 = alert.source_ips.find((address) => isIPv4(address));
  const v6 = alert.source_ips.find((address) => isIPv6(address));
  return {
    SchemaVersion: '2018-10-08',
    Id: filled(`trailhound/${alert.id}`, ID_MAX),
    ProductArn: `arn:${partition}:securityhub:${region}:${account}:product/${account}/default`,
    ProductName: 'trailhound',
    CompanyName: 'trailhound',
    GeneratorId: filled(`trailhound/${alert.detector}`, ID_MAX),
    AwsAccountId: account,
    Types: ['TTPs'],
    CreatedAt: alert.first_seen,
    UpdatedAt: later(updatedAt, alert.first_seen),
    FirstObservedAt: alert.first_seen,
    LastObservedAt: alert.last_seen,
    Severity: severity,
    FindingProviderFields: { Severity: severity, Types: ['TTPs'] },
    Title: filled(alert.title, TITLE_MAX),
    Description: filled(alert.summary || alert.title, DESCRIPTION_MAX),
    ProductFields: productFields(alert),
    Resources: resourcesOf(alert, account, partition),
    ...((v4 !== undefined || v6 !== undefined) && {
      Network: { ...(v4 !== undefined && { SourceIpV4: v4 }), ...(v6 !== undefined && { SourceIpV6: v6 }) },
    }),
    RecordState: isOver ? 'ARCHIVED' : 'ACTIVE',
    Workflow: { Status: WORKFLOW[alert.status] },
  };
}

function partitionOf(region: string): AsffResource['Partition'] {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

const later = (one: string, other: string): string => (Date.parse(one) >= Date.parse(other) ? one : other);

/** Security Hub takes no text that is empty. */
function filled(text: string, max: number): string {
  return shown(text, max).trim() || '-';
}

function productFields(alert: Alert): Record<string, string> {
  const facts: readonly (readonly [string, string])[] = [
    ['alert', alert.id],
    ['status', alert.status],
    ['detector-version', String(alert.detector_version)],
    ['events', String(alert.count)],
    ['window', `${alert.window.from}/${alert.window.to}`],
    ['accounts', alert.accounts.join(' ')],
    ['regions', alert.regions.join(' ')],
    ['addresses', alert.source_ips.join(' ')],
    ['known', knownOf(alert)],
    ['attack', alert.attack.map(({ technique }) => technique).join(' ')],
    ['event-ids', alert.event_ids.join(' ')],
    ...Object.entries(alert.subject).map(([name, value]) => [`subject/${name}`, valueText(value)] as const),
  ];
  return Object.fromEntries(
    facts
      .filter(([, value]) => value !== '')
      .slice(0, FIELDS_MAX)
      .map(([name, value]) => [filled(`trailhound/${name}`, FIELD_NAME_MAX), filled(value, FIELD_VALUE_MAX)]),
  );
}

/** What is known of its addresses. */
function knownOf(alert: Alert): string {
  const known = alert.source_ips.map((address) => [address, knownOfAddress(alert, address)] as const);
  return known
    .filter(([, text]) => text !== '')
    .map(([address, text]) => withKnown(address, text))
    .join('; ');
}

const USER_OR_ROLE = /^arn:aws[a-z-]*:iam::\d{12}:(user|role)\/.+$/u;

/** The principal where it is a user or a role of IAM, and the accounts that were concerned. */
function resourcesOf(alert: Alert, account: string, partition: AsffResource['Partition']): AsffResource[] {
  const kind = USER_OR_ROLE.exec(alert.principal_arn ?? '')?.[1];
  const principal =
    kind === undefined
      ? []
      : [
          {
            Type: kind === 'user' ? 'AwsIamUser' : 'AwsIamRole',
            Id: filled(alert.principal_arn ?? '', ID_MAX),
            Partition: partition,
          },
        ];
  const accounts = alert.accounts.length === 0 ? [account] : alert.accounts;
  const region =
    alert.region === null || alert.region === '' || alert.region.length > REGION_MAX
      ? {}
      : { Region: filled(alert.region, REGION_MAX) };
  return [
    ...principal,
    ...accounts.map((id) => ({
      Type: 'AwsAccount',
      Id: filled(`AWS::::Account:${id}`, ID_MAX),
      Partition: partition,
      ...region,
    })),
  ].slice(0, RESOURCES_MAX);
}
