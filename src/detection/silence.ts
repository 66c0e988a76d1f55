/** Which detectors cannot fire over what an account records. Only what is sure is said: a trail that may not be asked about, or a condition that may match anything, silences nobody. */
import type { LoggedTable, Selection, Trail } from '../account.ts';
import { type Condition, type Detector, parameterValues } from '../detector.ts';
import { conditionsOf } from './compile.ts';

export interface Recorded {
  /** Tables that have a source. */
  readonly tables: readonly LoggedTable[];
  readonly trails: readonly Trail[];
  /** Tables that may have more sources, and trails, than are known. */
  readonly uncertain: readonly LoggedTable[];
}

type Scope = Pick<Detector, 'id' | 'table' | 'when' | 'sequence' | 'needsDataEvents' | 'parameters'>;

/** Calls that a trail records only where it is told to: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html. */
const DATA_EVENTS: readonly { readonly source: string; readonly type: string; readonly names: RegExp }[] = [
  {
    source: 's3.amazonaws.com',
    type: 'AWS::S3::Object',
    names:
      /^(?:(?:get|put|delete|head|copy|post|restore)object|(?:get|put|delete)object(?:acl|attributes|legalhold|retention|tagging|torrent)|deleteobjects|listobjects|listobjectversions|listparts|selectobjectcontent|uploadpart|uploadpartcopy|(?:abort|complete|create)multipartupload)$/u,
  },
  { source: 'lambda.amazonaws.com', type: 'AWS::Lambda::Function', names: /^invoke$/u },
  {
    source: 'dynamodb.amazonaws.com',
    type: 'AWS::DynamoDB::Table',
    names: /^(?:(?:batch)?getitem|(?:put|update|delete)item|batchwriteitem|query|scan|transact(?:get|write)items)$/u,
  },
  {
    source: 'ebs.amazonaws.com',
    type: 'AWS::EC2::Snapshot',
    names: /^(?:(?:get|put)snapshotblock|listchangedblocks|listsnapshotblocks)$/u,
  },
];

/** Names that tell which half of a trail's `ReadWriteType` they belong to; of any other name both are taken for possible. */
const READS = /^(?:describe|list|head|get(?!signintoken|federationtoken|sessiontoken))/u;
const WRITES =
  /^(?:attach|authorize|create|delete|detach|disable|enable|modify|put|remove|revoke|run|set|stop|terminate|update)/u;

const NO_LOGS: Readonly<Record<Detector['table'], string>> = {
  cloudtrail: 'no trail is logging to a bucket',
  cloudtrail_insight: 'no trail has Insights events switched on',
  s3_access: 'no bucket logs its requests',
  waf: 'no web ACL in the regions that were asked logs to a bucket',
};

/** Null where it may fire. */
export function silenceOf(detector: Scope, { tables, trails, uncertain }: Recorded): string | null {
  const { table } = detector;
  if (uncertain.includes(table === 'cloudtrail_insight' ? 'cloudtrail' : table)) return null;
  if (table === 's3_access' || table === 'waf') return tables.includes(table) ? null : NO_LOGS[table];
  const logging = trails.filter(({ isLogging }) => isLogging !== false);
  if (logging.length === 0) return NO_LOGS.cloudtrail;
  if (table === 'cloudtrail_insight')
    return logging.some(({ hasInsights }) => hasInsights !== false) ? null : NO_LOGS[table];
  const needed = detector.needsDataEvents;
  if (needed !== undefined && !logging.some((trail) => selectsData(trail, needed) !== null))
    return noDataEvents(needed);
  const values = parameterValues(detector, {});
  for (const condition of conditionsOf(detector)) {
    const reasons = new Set<string>();
    const sources = valuesOf(condition, 'event_source', values);
    const names = valuesOf(condition, 'event_name', values);
    // Of any service or of any call: what a trail records at all will do.
    if (sources === null) continue;
    let isPossible = false;
    for (const source of sources) {
      for (const name of names ?? [null]) {
        const reason = whyUnrecorded(source, name, logging);
        if (reason === null) isPossible = true;
        else reasons.add(reason);
      }
    }
    if (!isPossible && reasons.size > 0) return [...reasons].join('; ');
  }
  return null;
}

function whyUnrecorded(source: string, name: string | null, trails: readonly Trail[]): string | null {
  const type = name === null ? null : dataEventType(source, name);
  if (type !== null) {
    const selections = trails.map((trail) => selectsData(trail, type)).filter((selection) => selection !== null);
    if (selections.length === 0) return noDataEvents(type);
    return selections.some((selection) => covers(selection, name)) ? null : noHalf(name, `data events of ${type}`);
  }
  const managing = trails.filter(
    ({ selects }) => selects === null || selects.management.read || selects.management.write,
  );
  if (managing.length === 0) {
    // Without a name it may be one of the data events.
    return name === null && DATA_EVENTS.some((one) => one.source === source)
      ? null
      : 'no trail selects management events';
  }
  const unfiltered = managing.filter(({ selects }) => !(selects?.excluded ?? []).includes(source));
  if (unfiltered.length === 0) return `the trails leave out the management events of ${source}`;
  const reaching = source === 'iam.amazonaws.com' ? unfiltered.filter((trail) => trail.hasGlobalServices) : unfiltered;
  if (reaching.length === 0) return 'no trail includes the events of global services';
  return reaching.some(({ selects }) => selects === null || covers(selects.management, name))
    ? null
    : noHalf(name, 'management events');
}

/** Everything is possible of a trail that may not be asked about. Null: none of this type. */
function selectsData({ selects }: Trail, type: string): Selection | null {
  return selects === null ? { read: true, write: true } : (selects.data.get(type) ?? null);
}

/** The type of resource whose data events hold this call; null for a management event. */
export function dataEventType(source: string, name: string): string | null {
  return DATA_EVENTS.find((one) => one.source === source && one.names.test(name))?.type ?? null;
}

function covers({ read, write }: Selection, name: string | null): boolean {
  if (name !== null && READS.test(name)) return read;
  return name !== null && WRITES.test(name) ? write : read || write;
}

const noDataEvents = (type: string): string => `no trail selects data events of ${type}`;
const noHalf = (name: string | null, events: string): string =>
  `the trails select no ${name !== null && READS.test(name) ? 'reading' : 'writing'} ${events}`;

/** The values that a column can have where the condition holds, in lower case; null where it may be any. */
function valuesOf(
  condition: Condition,
  column: string,
  parameters: Readonly<Record<string, unknown>>,
): readonly string[] | null {
  const parts = Object.entries(condition).flatMap(([key, value]) => {
    if (key === 'all') return (value as readonly Condition[]).map((part) => valuesOf(part, column, parameters));
    if (key === 'any')
      return [joined((value as readonly Condition[]).map((part) => valuesOf(part, column, parameters)))];
    return key === column ? [equalTo(value, parameters)] : [];
  });
  const known = parts.filter((values) => values !== null);
  return known.length === 0 ? null : known.reduce((a, b) => a.filter((value) => b.includes(value)));
}

/** One of them: any value where one of them takes any. */
function joined(parts: readonly (readonly string[] | null)[]): readonly string[] | null {
  return parts.some((values) => values === null) ? null : parts.flatMap((values) => values ?? []);
}

function equalTo(match: unknown, parameters: Readonly<Record<string, unknown>>): readonly string[] | null {
  if (typeof match === 'string') return [match.toLowerCase()];
  if (Array.isArray(match)) {
    return joined(match.map((one: unknown) => equalTo(one, parameters)));
  }
  if (typeof match !== 'object' || match === null) return null;
  if ('parameter' in match && typeof match.parameter === 'string')
    return equalTo(parameters[match.parameter], parameters);
  return 'is' in match ? equalTo(match.is, parameters) : null;
}
