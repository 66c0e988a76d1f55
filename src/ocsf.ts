/** An alert as a Detection Finding of OCSF: https://schema.ocsf.io/1.6.0/classes/detection_finding */
import { isIP } from 'node:net';
import type { Alert, AlertStatus, Severity } from './alert.ts';
import { TECHNIQUES } from './attack.ts';
import type { Value } from './backend.ts';
import { shown } from './printable.ts';

const OCSF_VERSION = '1.6.0';
const CLASS_UID = 2004;
/** A value that is longer is no name of anything. */
const TEXT_MAX = 4096;
/** `AWS Account` of the object `account`. */
const AWS_ACCOUNT = 10;
/** `Rule` of the object `analytic`. */
const RULE = 1;
/** `IP Address` of the object `observable`. */
const IP_ADDRESS = 2;

export interface OcsfFinding {
  readonly activity_id: number;
  readonly activity_name: string;
  readonly category_uid: 2;
  readonly category_name: 'Findings';
  readonly class_uid: 2004;
  readonly class_name: 'Detection Finding';
  readonly type_uid: number;
  readonly type_name: string;
  readonly severity_id: number;
  readonly severity: string;
  readonly status_id: number;
  readonly status: string;
  /** Milliseconds since 1970, as all times here. */
  readonly time: number;
  readonly start_time: number;
  readonly end_time: number;
  readonly count: number;
  readonly is_alert: boolean;
  readonly message: string;
  readonly metadata: object;
  readonly finding_info: object;
  readonly cloud: object;
  readonly evidences?: readonly object[];
  readonly observables?: readonly object[];
  /** What OCSF has no place for. */
  readonly unmapped: Readonly<Record<string, Value>>;
}

const SEVERITY: Readonly<Record<Severity, readonly [id: number, caption: string]>> = {
  informational: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};

const STATUS: Readonly<Record<AlertStatus, readonly [id: number, caption: string]>> = {
  open: [1, 'New'],
  acknowledged: [2, 'In Progress'],
  suppressed: [3, 'Suppressed'],
  closed: [4, 'Resolved'],
  withdrawn: [5, 'Archived'],
};

/** `at`, ISO 8601: when this was told. */
export function toOcsf(alert: Alert, at: string): OcsfFinding {
  const [activityId, activity] = activityOf(alert);
  const [severityId, severity] = SEVERITY[alert.severity];
  const [statusId, status] = STATUS[alert.status];
  const addresses = alert.source_ips.filter((address) => isIP(address) !== 0);
  const evidences = evidencesOf(alert, addresses);
  return {
    activity_id: activityId,
    activity_name: activity,
    category_uid: 2,
    category_name: 'Findings',
    class_uid: CLASS_UID,
    class_name: 'Detection Finding',
    type_uid: CLASS_UID * 100 + activityId,
    type_name: `Detection Finding: ${activity}`,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    time: Date.parse(at),
    start_time: Date.parse(alert.first_seen),
    end_time: Date.parse(alert.last_seen),
    count: alert.count,
    is_alert: alert.status === 'open',
    message: shown(alert.summary, TEXT_MAX),
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'trailhound', vendor_name: 'trailhound' },
      profiles: ['cloud'],
    },
    finding_info: {
      uid: alert.id,
      title: shown(alert.title, TEXT_MAX),
      desc: shown(alert.summary, TEXT_MAX),
      analytic: {
        type_id: RULE,
        type: 'Rule',
        uid: alert.detector,
        name: shown(alert.title, TEXT_MAX),
        version: String(alert.detector_version),
      },
      first_seen_time: Date.parse(alert.first_seen),
      last_seen_time: Date.parse(alert.last_seen),
      modified_time: Date.parse(at),
      related_events_count: alert.event_ids_total,
      ...(alert.attack.length > 0 && { attacks: alert.attack.map(attackOf) }),
    },
    cloud: {
      provider: 'AWS',
      ...(alert.account_id !== null && {
        account: { uid: shown(alert.account_id, TEXT_MAX), type_id: AWS_ACCOUNT, type: 'AWS Account' },
      }),
      ...(alert.region !== null && { region: shown(alert.region, TEXT_MAX) }),
    },
    ...(evidences.length > 0 && { evidences }),
    ...(addresses.length > 0 && {
      observables: addresses.map((value) => ({
        name: 'evidences[].src_endpoint.ip',
        type_id: IP_ADDRESS,
        type: 'IP Address',
        value,
      })),
    }),
    unmapped: {
      subject: alert.subject,
      peak: alert.peak,
      window: alert.window,
      accounts: alert.accounts,
      regions: alert.regions,
      source_ips: alert.source_ips,
      event_ids: alert.event_ids,
      parameters: alert.parameters,
    },
  };
}

function activityOf({ status, new: isNew }: Alert): readonly [id: number, caption: string] {
  if (status === 'open' && isNew) return [1, 'Create'];
  return status === 'open' || status === 'acknowledged' ? [2, 'Update'] : [3, 'Close'];
}

/** `T1562.008` is the sub-technique of `T1562`; our names say both. */
function attackOf({ technique, version }: Alert['attack'][number]): object {
  const [uid = technique, sub] = technique.split('.');
  const [name, subName] = (TECHNIQUES[technique] ?? '').split(': ');
  const named = (id: string, text: string | undefined): object => ({
    uid: id,
    ...(text !== undefined && text !== '' && { name: text }),
  });
  return {
    version: String(version),
    technique: named(uid, name),
    ...(sub !== undefined && { sub_technique: named(technique, subName) }),
  };
}

/** Who called, and each address that they called from. */
function evidencesOf({ principal_arn: arn, context }: Alert, addresses: readonly string[]): object[] {
  const actor = arn === null || arn === '' ? {} : { actor: { user: { uid: shown(arn, TEXT_MAX) } } };
  if (addresses.length === 0) return Object.keys(actor).length === 0 ? [] : [actor];
  return addresses.map((ip) => {
    const country = context?.addresses[ip]?.country;
    return { ...actor, src_endpoint: { ip, ...(country && { location: { country } }) } };
  });
}
