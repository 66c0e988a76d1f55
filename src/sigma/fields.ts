/** Which table a rule's logsource means, and which column or path each of its fields. */
import type { Column, Table } from '../table.ts';

export interface Logsource {
  readonly product: string | null;
  readonly category: string | null;
  readonly service: string | null;
}

/** By product and service. */
const SERVICES: Readonly<Record<string, string>> = {
  cloudtrail: 'cloudtrail',
  'cloudtrail-insight': 'cloudtrail_insight',
  cloudtrail_insight: 'cloudtrail_insight',
  s3: 's3_access',
  's3-access': 's3_access',
  s3_access: 's3_access',
  s3_server_access: 's3_access',
  waf: 'waf',
  wafv2: 'waf',
};

/** The name of the table; null where these logs are none of ours. */
export function tableOf({ product, service }: Logsource): string | null {
  return product === 'aws' && service !== null ? (SERVICES[service] ?? null) : null;
}

export const logsourceText = ({ product, category, service }: Logsource): string =>
  [product, category, service].filter((part) => part !== null).join('/') || 'nothing';

/** Whether what a filter names is named by the rule as well. */
export const covers = (filter: Logsource, rule: Logsource): boolean =>
  (['product', 'category', 'service'] as const).every((key) => filter[key] === null || filter[key] === rule[key]);

export interface Field {
  /** Key of a condition: a column, or a path with `[]` after each step, since any of them may be a list. */
  readonly key: string;
  /** Key of a single value: the same path without. */
  readonly single: string;
  readonly column: Column;
  readonly isPath: boolean;
  /** No such field stands in AWS's reference: it is looked for among what has no column. */
  readonly isUnknown: boolean;
}

/** JSON columns that hold a list. */
const LISTS: ReadonlySet<string> = new Set([
  'resources',
  'edge_device_details',
  'attributions',
  'rule_group_list',
  'rate_based_rule_list',
  'non_terminating_matching_rules',
  'terminating_rule_match_details',
  'request_headers_inserted',
  'headers',
  'label_list',
  'oversize_field_list',
]);

/** Fields that have a better column than the one of their own name, and other names that are in use. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  cloudtrail: {
    eventname: 'event_name',
    'resources.arn': 'resource_arns',
    src_ip: 'source_address',
  },
  cloudtrail_insight: { eventname: 'event_name', eventsource: 'event_source', errorcode: 'error_code' },
  waf: {
    'labels.name': 'labels',
    clientip: 'client_ip',
    'httprequest.headers': 'headers',
    useragent: 'user_agent',
    src_ip: 'client_ip',
    'c-ip': 'client_ip',
    'cs-method': 'http_method',
    'cs-uri-stem': 'uri',
    'cs-uri-query': 'args',
    'cs-host': 'host',
    'cs-user-agent': 'user_agent',
  },
  s3_access: {
    bucketname: 'bucket',
    requestdatetime: 'event_time',
    sigv: 'signature_version',
    authtype: 'authentication_type',
    endpoint: 'host_header',
    src_ip: 'remote_ip',
    'c-ip': 'remote_ip',
    'cs-method': 'method',
    'cs-user-agent': 'user_agent',
    'cs-referer': 'referrer',
    'sc-status': 'http_status',
    'sc-bytes': 'bytes_sent',
  },
};

/** Letters and digits alone: AWS writes the fields of access logs as words, and Athena's table in one. */
const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/gu, '');

/** The field of a table; or, as a text, why there is none. */
export function fieldOf(name: string, table: Table): Field | string {
  const steps = name.split('.').map((step) => step.replace(/(?:\[\*?\]|\{\})$/u, ''));
  const bad = steps.find((step) => !/^[A-Za-z0-9_:@/-]+$/u.test(step));
  if (bad !== undefined)
    return `the field '${name}' has the key '${bad}': a key is of letters, digits and _ - : @ /, and a list stands for all its elements`;
  const plain = steps.join('.');
  const whole = columnOf(plain, table);
  if (whole !== undefined)
    return { key: whole.name, single: whole.name, column: whole, isPath: false, isUnknown: false };
  for (let length = steps.length - 1; length > 0; length -= 1) {
    const column = jsonColumn(steps.slice(0, length).join('.'), table);
    if (column !== undefined) return pathInto(column, steps.slice(length), false);
  }
  const extra = table.columns.find((column) => column.name === 'extra');
  return extra === undefined ? `the table ${table.name} has no field '${name}'` : pathInto(extra, steps, true);
}

function pathInto(column: Column, steps: readonly string[], isUnknown: boolean): Field {
  const root = LISTS.has(column.name) ? `${column.name}[]` : column.name;
  return {
    key: [root, ...steps.map((step) => `${step}[]`)].join('.'),
    single: [column.name, ...steps].join('.'),
    column,
    isPath: true,
    isUnknown,
  };
}

function columnOf(name: string, table: Table): Column | undefined {
  const folded = name.toLowerCase();
  const other = NAMES[table.name]?.[folded];
  const named = (wanted: string): Column | undefined => table.columns.find((column) => column.name === wanted);
  if (other !== undefined) return named(other);
  return (
    named(name) ??
    table.columns.find(({ raw }) => raw?.toLowerCase() === folded) ??
    (table.name === 's3_access'
      ? table.columns.find((column) => bare(column.name) === bare(name) || bare(column.raw ?? '') === bare(name))
      : undefined)
  );
}

function jsonColumn(name: string, table: Table): Column | undefined {
  const column = columnOf(name, table);
  return column?.json === true ? column : undefined;
}

/** Columns that together hold the text of the record: what a search without a field looks through. */
export function textColumns(table: Table, portable: boolean): readonly Column[] {
  const texts = table.columns.filter(
    ({ raw, type, athena }) => raw !== undefined && type === 'VARCHAR' && !(portable && athena === null),
  );
  const isInside = (raw: string): boolean =>
    texts.some(({ json, raw: other }) => json === true && raw.startsWith(`${other}.`));
  const extra = table.columns.filter(({ name, athena }) => name === 'extra' && !(portable && athena === null));
  return [...texts.filter(({ raw = '' }) => !isInside(raw)), ...extra];
}
