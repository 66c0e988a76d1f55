/** The detector behind `--list`: which of these addresses, networks, keys, ARNs and user agents occur, with whom and when. */
import type { Detector } from '../detector.ts';
import { INDICATOR_KINDS, type Indicator, type IndicatorKind } from './lists.ts';

/** The id is not among those of the files: it exists only while a list is given. */
const DETECTOR_ID = 'listed-indicator';

export const INDICATOR_SUBJECT: readonly string[] = ['kind', 'indicator', 'principal'];

/** How an event matches a listed value, in the portable subset. `event` is the row of cloudtrail, `listed` that of the list. */
const MATCHES: Readonly<Record<IndicatorKind, string>> = {
  address: 'lower(event.source_ip) = listed.value',
  network: 'event.source_ip = inside.source_ip',
  access_key: 'event.access_key_id = listed.value',
  arn: 'event.principal_arn = listed.value OR event.user_arn = listed.value OR strpos(event.resources, listed.value) > 0',
  user_agent: 'strpos(lower(event.user_agent), lower(listed.value)) > 0',
};

/** What an alert says of where and who, if all of its events agree. */
const SHARED = ['account_id', 'aws_region', 'source_ip', 'principal_arn'] as const;

const shared = (name: string): string => `CASE WHEN count(DISTINCT ${name}) = 1 THEN min(${name}) END AS ${name}`;

/** The tables that the detector reads: one list per kind that occurs. */
export function indicatorLists(indicators: readonly Indicator[]): Map<string, readonly Indicator[]> {
  return new Map(
    INDICATOR_KINDS.map(
      (kind) => [`listed_${kind}`, indicators.filter((indicator) => indicator.kind === kind)] as const,
    ).filter(([, values]) => values.length > 0),
  );
}

/** Raises an alert for each indicator, principal and hour. */
export async function indicatorDetector(indicators: readonly Indicator[]): Promise<Detector> {
  const { defineDetector } = await import('../detector.ts');
  const branches = INDICATOR_KINDS.filter((kind) => indicators.some((indicator) => indicator.kind === kind)).map(
    branch,
  );
  return defineDetector({
    id: DETECTOR_ID,
    title: 'A listed indicator occurs',
    description: 'An address, network, access key, ARN or user agent of the list that was given stands in events.',
    severity: 'high',
    severityReason: 'Somebody put it on a list of what to look for.',
    table: 'cloudtrail',
    attack: [],
    sql: `WITH matched AS (\n${branches.join('\nUNION ALL\n')}\n)
SELECT date_trunc('hour', event_time) AS slot, kind, indicator, principal, min(event_time) AS first_seen, max(event_time) AS last_seen,
  count(*) AS count, array_agg(event_id ORDER BY event_time, event_id) AS event_ids, count(DISTINCT event_name) AS actions,
  ${SHARED.map(shared).join(',\n  ')}
FROM matched
GROUP BY 1, 2, 3, 4
ORDER BY slot, kind, indicator, principal`,
    slot: '1h',
    subject: INDICATOR_SUBJECT,
    summary: '{principal} made {count} calls of {actions} kinds with the listed {kind} {indicator}',
    falsePositives: ['Addresses of networks that many share, such as a VPN or a mobile carrier.'],
    blindSpots: ['A listed ARN of a resource is found only where AWS names it under `resources`.'],
    examples: [],
  });
}

function branch(kind: IndicatorKind): string {
  const columns = `event.event_time, event.event_id, event.event_name, event.principal, ${SHARED.map((name) => `event.${name}`).join(', ')}, '${kind}' AS kind`;
  if (kind !== 'network') {
    return `SELECT ${columns}, listed.value AS indicator FROM cloudtrail AS event JOIN list_listed_${kind} AS listed ON ${MATCHES[kind]}`;
  }
  // Each address is compared with each network once, not once an event.
  return `SELECT ${columns}, inside.value AS indicator FROM cloudtrail AS event JOIN (
  SELECT addresses.source_ip, listed.value
  FROM (SELECT DISTINCT source_ip FROM cloudtrail WHERE source_ip IS NOT NULL) AS addresses
  JOIN list_listed_network AS listed ON coalesce(cidr_match(listed.value, addresses.source_ip), false)
) AS inside ON ${MATCHES[kind]}`;
}
