/** The detectors behind `--list`: which of these addresses, networks, keys, ARNs and user agents occur, with whom and when. */
import type { Detector, DetectorSpec } from '../detector.ts';
import type { Table } from '../table.ts';
import { INDICATOR_KINDS, type Indicator, type IndicatorKind } from './lists.ts';

/** Ids are not among those of the files: they exist only while a list is given. */
const idOf = ({ name }: Table): string =>
  name === 'cloudtrail' ? 'listed-indicator' : `listed-indicator-${name.replaceAll('_', '-')}`;

export const INDICATOR_SUBJECT: readonly string[] = ['kind', 'indicator', 'principal'];

/** How an event of a table matches a listed value, in the portable subset; null where the table says nothing of the kind. `event` is the event, `listed` the list. */
function matchOf(kind: IndicatorKind, { roles, columns }: Table): string | null {
  const has = (name: string): boolean => columns.some((column) => column.name === name);
  switch (kind) {
    case 'address':
      return roles.sourceIp === null ? null : `lower(event.${roles.sourceIp}) = listed.value`;
    case 'network':
      return roles.sourceIp === null ? null : `event.${roles.sourceIp} = inside.source_ip`;
    case 'access_key':
      return has('access_key_id') ? 'event.access_key_id = listed.value' : null;
    case 'arn': {
      const matches = [
        ...['principal_arn', 'user_arn', 'requester'].filter(has).map((name) => `event.${name} = listed.value`),
        ...(has('resources') ? ['strpos(event.resources, listed.value) > 0'] : []),
      ];
      return matches.length === 0 ? null : matches.join(' OR ');
    }
    case 'user_agent':
      return has('user_agent') ? 'strpos(lower(event.user_agent), lower(listed.value)) > 0' : null;
  }
}

/** What an alert says of where and who, if all of its events agree. */
const SHARED = {
  account_id: 'accountId',
  aws_region: 'region',
  source_ip: 'sourceIp',
  principal_arn: 'principalArn',
} as const;

const shared = (name: string): string => `CASE WHEN count(DISTINCT ${name}) = 1 THEN min(${name}) END AS ${name}`;

/** The tables that the detector reads: one list per kind that occurs. */
export function indicatorLists(indicators: readonly Indicator[]): Map<string, readonly Indicator[]> {
  return new Map(
    INDICATOR_KINDS.map(
      (kind) => [`listed_${kind}`, indicators.filter((indicator) => indicator.kind === kind)] as const,
    ).filter(([, values]) => values.length > 0),
  );
}

/** One for each table that can tell of any of the indicators. It raises an alert for each indicator, principal (or address) and hour. */
export async function indicatorDetectors(
  indicators: readonly Indicator[],
  tables: readonly Table[],
): Promise<readonly Detector[]> {
  const { defineDetector } = await import('../detector.ts');
  return tables.flatMap((table) => {
    const kinds = INDICATOR_KINDS.filter((kind) => indicators.some((indicator) => indicator.kind === kind));
    const branches = kinds.flatMap((kind) => branch(kind, table) ?? []);
    return branches.length === 0 ? [] : [defineDetector(specOf(table, branches))];
  });
}

function specOf(table: Table, branches: readonly string[]): DetectorSpec {
  return {
    id: idOf(table),
    title: 'A listed indicator occurs',
    description: 'An address, network, access key, ARN or user agent of the list that was given stands in events.',
    severity: 'high',
    severityReason: 'Somebody put it on a list of what to look for.',
    table: table.name as DetectorSpec['table'],
    attack: [],
    sql: `WITH matched AS (\n${branches.join('\nUNION ALL\n')}\n)
SELECT date_trunc('hour', event_time) AS slot, kind, indicator, principal, min(event_time) AS first_seen, max(event_time) AS last_seen,
  count(*) AS count, array_agg(event_id ORDER BY event_time, event_id) AS event_ids, count(DISTINCT event_name) AS actions,
  ${Object.keys(SHARED).map(shared).join(',\n  ')}
FROM matched
GROUP BY 1, 2, 3, 4
ORDER BY slot, kind, indicator, principal`,
    slot: '1h',
    subject: INDICATOR_SUBJECT,
    summary: '{principal} made {count} calls of {actions} kinds with the listed {kind} {indicator}',
    falsePositives: ['Addresses of networks that many share, such as a VPN or a mobile carrier.'],
    blindSpots: ['A listed ARN of a resource is found only where AWS names it under `resources`.'],
    examples: [],
  };
}

/** Null where the table says nothing of this kind. */
function branch(kind: IndicatorKind, table: Table): string | null {
  const match = matchOf(kind, table);
  if (match === null) return null;
  const { roles } = table;
  const who = table.columns.some(({ name }) => name === 'principal') ? 'principal' : (roles.sourceIp ?? roles.eventId);
  const columns = [
    'event.event_time',
    `event.${roles.eventId} AS event_id`,
    `event.${roles.eventName} AS event_name`,
    `event.${who} AS principal`,
    ...Object.entries(SHARED).map(([name, role]) =>
      roles[role] === null ? `CAST(NULL AS VARCHAR) AS ${name}` : `event.${roles[role]} AS ${name}`,
    ),
    `'${kind}' AS kind`,
  ].join(', ');
  if (kind !== 'network')
    return `SELECT ${columns}, listed.value AS indicator FROM ${table.name} AS event JOIN list_listed_${kind} AS listed ON ${match}`;
  // Each address is compared with each network once, not once an event.
  return `SELECT ${columns}, inside.value AS indicator FROM ${table.name} AS event JOIN (
  SELECT addresses.source_ip, listed.value
  FROM (SELECT DISTINCT ${roles.sourceIp} AS source_ip FROM ${table.name} WHERE ${roles.sourceIp} IS NOT NULL) AS addresses
  JOIN list_listed_network AS listed ON coalesce(cidr_match(listed.value, addresses.source_ip), false)
) AS inside ON ${match}`;
}
