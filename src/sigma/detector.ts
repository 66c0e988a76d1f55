/** Rules and correlations as detectors: what they are called, whom they are about, and what each finding is. */
import { SEVERITIES, type Severity } from '../alert.ts';
import { type Condition, type Detector, type DetectorSpec, defineDetector } from '../detector.ts';
import type { Table } from '../table.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts';
import { type Correlation, fieldIn, isGrowing, keyIn, least, type RuleSource } from './correlation.ts';
import { correlationSql, reachOf, type SqlWords } from './correlation-sql.ts';
import { attackOf, detectorId, type RuleHead } from './rule.ts';

/** Whom or what an alert is about, where the rule does not say it, and the sentence about it. */
const ABOUT: Readonly<Record<string, { readonly subject: string; readonly event: string; readonly several: string }>> =
  {
    cloudtrail: {
      subject: 'principal',
      event: '{principal} called {event_name} of {event_source} in {aws_region} from {source_address}',
      several: '{principal} made {count} such calls, first {event_name} of {event_source} in {aws_region}',
    },
    cloudtrail_insight: {
      subject: 'event_name',
      event: '{event_name} of {event_source} in {aws_region}: {insight_type}',
      several: '{event_name} of {event_source} in {aws_region}, {count} times: {insight_type}',
    },
    s3_access: {
      subject: 'principal',
      event: '{principal} asked {bucket} for {operation} {key} from {remote_ip}, with the result {http_status}',
      several: '{principal} made {count} such requests, first {operation} to {bucket} from {remote_ip}',
    },
    waf: {
      subject: 'source_ip',
      event: '{source_ip} asked {host} for {http_method} {uri}: {action}',
      several: '{source_ip} made {count} such requests, first {http_method} {uri} to {host}',
    },
  };

/** Of these levels Sigma expects many matches, which are worth looking at together: they are one alert per subject and day. */
const MANY: ReadonlySet<Severity> = new Set(['informational', 'low']);
/** What a rule without a level counts as. */
const LEVEL: Severity = 'medium';

type Common = Omit<DetectorSpec, 'subject' | 'summary' | 'slot'>;

function common(head: RuleHead, table: Table, level: Severity | null): Common {
  return {
    id: detectorId(head),
    version: head.day ?? 1,
    title: head.title,
    description: [head.description ?? head.title, ...head.references].join('\n').trim(),
    severity: level ?? LEVEL,
    severityReason: level === null ? 'The rule states no level.' : 'As the rule states it.',
    table: table.name as Common['table'],
    attack: attackOf(head.tags),
    tags: [...new Set(['sigma', ...head.tags])],
    falsePositives: head.falsePositives,
    blindSpots: head.definition === null ? [] : [`The rule expects: ${head.definition}`],
    examples: [],
  };
}

/** Throws an error of the detector's contract. */
export function ruleDetector(head: RuleHead, { table, condition }: Pick<RuleSource, 'table' | 'condition'>): Detector {
  const { subject, event, several } = aboutOf(table);
  const spec = common(head, table, head.level);
  const isMany = MANY.has(spec.severity);
  return defineDetector({
    ...spec,
    when: condition,
    slot: isMany ? '1d' : 'event',
    subject: [subject],
    summary: isMany ? several : event,
  });
}

const aboutOf = (table: Table): (typeof ABOUT)[string] => {
  const about = ABOUT[table.name];
  if (about === undefined) throw new Error(`no rule is about ${table.name}`);
  return about;
};

/** `levels`: those of the rules below. Throws `RuleProblem`. */
export function correlationDetector(
  head: RuleHead,
  correlation: Correlation,
  levels: readonly (Severity | null)[],
  options: { readonly words: SqlWords; readonly portable: boolean },
): Detector {
  const { table } = correlation;
  const level = head.level ?? levels.reduce(higher, null);
  const spec = common(head, table, level);
  const slotMs = SLOTS.find(([ms]) => correlation.withinMs <= ms)?.[0] ?? DAY_MS;
  const slot = SLOTS.find(([ms]) => ms === slotMs)?.[1] ?? '1d';
  const keys = sharedKeys(correlation, options.portable);
  const native = keys === null ? null : nativeParts(correlation, keys, options.portable);
  if (native !== null && keys !== null) {
    const subject = keys.length === 0 ? [table.roles.origin] : keys;
    return defineDetector({ ...spec, ...native, slot, subject, summary: summaryOf(head, subject) });
  }
  const names = subjectNames(correlation, keys);
  const grouped =
    names.length > 0
      ? correlation
      : { ...correlation, groupBy: [{ name: table.roles.origin, place: correlation.place }] };
  const subject = names.length > 0 ? names : [table.roles.origin];
  return defineDetector({
    ...spec,
    when: { any: rulesBelow(correlation).map(({ condition }) => condition) },
    sql: correlationSql(grouped, subject, slotMs, options),
    lookback: durationText(reachOf(correlation)),
    ...(isMonotone(correlation) && { growsOnly: true }),
    slot,
    subject,
    summary: summaryOf(head, subject),
  });
}

const SLOTS = [
  [HOUR_MS, '1h'],
  [6 * HOUR_MS, '6h'],
  [DAY_MS, '1d'],
] as const;

function higher(a: Severity | null, b: Severity | null): Severity | null {
  if (a === null || b === null) return a ?? b;
  return SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b;
}

const summaryOf = ({ title }: RuleHead, subject: readonly string[]): string =>
  `${title.replaceAll(/[{}]/gu, ' ')}: ${subject.map((key) => `{${key}}`).join(', ')}, {count} events`;

function rulesBelow({ sources }: Correlation): readonly RuleSource[] {
  return sources.flatMap((source) => (source.kind === 'rule' ? [source] : rulesBelow(source)));
}

/** Whether more events never take a finding back: sums may fall by what is negative. */
function isMonotone({ type, bounds, sources }: Correlation): boolean {
  return (
    type !== 'value_sum' && isGrowing(bounds) && sources.every((source) => source.kind === 'rule' || isMonotone(source))
  );
}

/** The keys of the group where they are the same for all rules; else null. */
function sharedKeys(correlation: Correlation, portable: boolean): readonly string[] | null {
  const keys = correlation.groupBy.map((field) => {
    const each = rulesIn(correlation, field).map(({ source, field: meant }) => keyIn(meant, source.table, portable));
    return new Set(each).size === 1 ? each[0] : undefined;
  });
  return keys.every((key) => key !== undefined) && new Set(keys).size === keys.length ? keys : null;
}

type FieldAt = Correlation['groupBy'][number];

/** What a field of the group is in each rule below. */
function rulesIn(correlation: Correlation, field: FieldAt): readonly { source: RuleSource; field: FieldAt }[] {
  return correlation.sources.flatMap((source) => {
    const meant = fieldIn(correlation, field, source);
    return source.kind === 'rule' ? [{ source, field: meant }] : rulesIn(source, meant);
  });
}

/** What the engine does by itself, and fast; null where it cannot. */
function nativeParts(
  correlation: Correlation,
  keys: readonly string[],
  portable: boolean,
): Pick<DetectorSpec, 'when' | 'threshold' | 'sequence'> | null {
  const { sources, type, bounds, withinMs, fields } = correlation;
  const rules = sources.filter((source) => source.kind === 'rule');
  if (rules.length < sources.length) return null;
  const within = durationText(withinMs);
  if (type === 'temporal_ordered') {
    if (keys.length === 0 || rules.length < 2) return null;
    return { sequence: { steps: rules.map(({ condition }) => condition), by: keys, within } };
  }
  const atLeast = least(bounds);
  if (atLeast === null || atLeast < 1 || (type !== 'event_count' && type !== 'value_count')) return null;
  const [field, ...more] = fields.map((one) => {
    const each = rules.map((source) => keyIn(fieldIn(correlation, one, source), source.table, portable));
    return new Set(each).size === 1 ? each[0] : undefined;
  });
  if (more.length > 0 || (type === 'value_count' && field === undefined)) return null;
  const any: Condition = { any: rules.map(({ condition }) => condition) };
  return {
    when: { all: [any, ...keys.map((key): Condition => ({ [key]: { exists: true } }))] },
    threshold: { atLeast, within, ...(field !== undefined && { distinct: field }) },
  };
}

/** Columns that the statement gives besides. */
const TAKEN: ReadonlySet<string> = new Set(['slot', 'peak', 'first_seen', 'last_seen', 'count', 'event_ids']);

/** Names of the group's columns: those of the table where they are columns of it, else made of the names in the rule. */
function subjectNames({ groupBy, table }: Correlation, keys: readonly string[] | null): readonly string[] {
  const names = new Set<string>();
  return groupBy.map(({ name }, at) => {
    const key = keys?.[at];
    const plain =
      key !== undefined && table.columns.some((column) => column.name === key)
        ? key
        : name
            .replaceAll(/([a-z0-9])([A-Z])/gu, '$1_$2')
            .toLowerCase()
            .replaceAll(/[^a-z0-9]+/gu, '_');
    const free = TAKEN.has(plain) || names.has(plain) || !/^[a-z]/u.test(plain) ? `group_${at + 1}_${plain}` : plain;
    names.add(free);
    return free;
  });
}

/** In the largest unit that says it. */
function durationText(ms: number): `${number}${'s' | 'm' | 'h' | 'd'}` {
  const units = [
    [DAY_MS, 'd'],
    [HOUR_MS, 'h'],
    [MINUTE_MS, 'm'],
  ] as const;
  const [unitMs, unit] = units.find(([length]) => ms % length === 0) ?? [SECOND_MS, 's'];
  return `${ms / unitMs}${unit}`;
}
