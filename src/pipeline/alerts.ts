/** Findings as alerts: secrets masked, the summary made printable, suppressions applied. */
import { createHash } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { type Alert, EVIDENCE_MAX } from '../alert.ts';
import type { Value } from '../backend.ts';
import type { Detector } from '../detector.ts';
import type { Finding } from '../hunt.ts';
import type { Mask } from '../secrets.ts';
import type { Suppression } from '../store.ts';

/** A value in a summary at most, in characters: an attacker chooses user agents and session names. */
const SUMMARY_VALUE_MAX = 200;
/** Controls, line separators, and what turns the direction of text or hides: none of it may reach a terminal or a page as it is. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** Of a hash that tells the suppressions of one config apart. */
const LABEL_DIGITS = 8;

export interface AlertContext {
  readonly detector: Detector;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly suppressions: readonly Suppression[];
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly mask: Mask;
  readonly nowMs: number;
}

/** `new` is true until the store says that it knew the alert. */
export function alertOf(finding: Finding, context: AlertContext): Alert {
  const { detector, parameters, mask } = context;
  const suppression = suppressionOf(finding, context);
  return {
    schema: 1,
    id: finding.id,
    detector: detector.id,
    detector_version: detector.version,
    title: detector.title,
    severity: detector.severity,
    status: suppression === undefined ? 'open' : 'suppressed',
    subject: mask.value(finding.subject),
    summary: summaryOf(detector.summary, finding, mask),
    count: finding.count,
    peak: finding.peak,
    first_seen: finding.firstSeen,
    last_seen: finding.lastSeen,
    window: finding.window,
    account_id: only(finding.accounts),
    region: only(finding.regions),
    accounts: finding.accounts,
    regions: finding.regions,
    source_ips: mask.value(finding.sourceIps),
    principal_arn: mask.value(finding.principalArn),
    attack: detector.attack.map(({ technique, version }) => ({ technique, version })),
    event_ids: mask.value(finding.eventIds),
    event_ids_total: finding.count,
    parameters: parameters as Readonly<Record<string, Value>>,
    suppressed_by: suppression === undefined ? null : suppressionLabel(suppression),
    new: true,
    coverage: null,
  };
}

const only = (values: readonly string[]): string | null => (values.length === 1 ? (values[0] ?? null) : null);

/** Text from a log as a person may see it: short, and nothing in it acts. */
function printable(text: string): string {
  const characters = Array.from(text);
  const cut = characters.length > SUMMARY_VALUE_MAX ? `${characters.slice(0, SUMMARY_VALUE_MAX).join('')}…` : text;
  return cut.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Fills in the placeholders. Where several stand side by side, those without a value are left out; where none of them has one, a dash says so. */
function summaryOf(
  template: string,
  { count, peak, texts }: Pick<Finding, 'count' | 'peak' | 'texts'>,
  mask: Mask,
): string {
  const valueOf = (name: string): string =>
    name === 'count'
      ? String(count)
      : name === 'peak'
        ? String(peak ?? '')
        : printable(mask.named(name, texts[name] ?? ''));
  return template.replace(/(?:\{[^{}]*\})+/gu, (run) => {
    const values = [...run.matchAll(/\{([^{}]*)\}/gu)].map(([, name = '']) => valueOf(name));
    return values.join('') || '-';
  });
}

/** How an alert names the suppression that covers it: by its number, or, of one of the config, which has none, by what it covers, wherever it stands in the list. */
export function suppressionLabel({ id, detector, where }: Pick<Suppression, 'id' | 'detector' | 'where'>): string {
  if (id > 0) return String(id);
  const conditions = Object.entries(where).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([detector, conditions]));
  return `config:${hash.digest('hex').slice(0, LABEL_DIGITS)}`;
}

/** The suppression in force that covers the finding: by all of its conditions, each by every value. */
function suppressionOf(
  finding: Finding,
  { detector, suppressions, lists, nowMs }: Omit<AlertContext, 'parameters'>,
): Suppression | undefined {
  return suppressions.find((suppression) => {
    const { where, until } = suppression;
    if (suppression.detector !== null && suppression.detector !== detector.id) return false;
    if (until !== null && Date.parse(until) <= nowMs) return false;
    const conditions = Object.entries(where);
    // Without detector and conditions it would hide everything.
    if (suppression.detector === null && conditions.length === 0) return false;
    return conditions.every(([column, pattern]) => {
      const values = valuesOf(column, finding, detector);
      return values.length > 0 && values.every((value) => matches(value, pattern, lists));
    });
  });
}

/** Columns that the engine has to tell of each finding, so that suppressions can look at them. */
export const suppressionColumns = (suppressions: readonly Suppression[]): readonly string[] => [
  ...new Set(suppressions.flatMap(({ where }) => Object.keys(where))),
];

/** Columns of the alert itself that a suppression can look at, besides those of its subject and of its events. */
export const ALERT_COLUMNS = [
  'account_id',
  'accounts',
  'region',
  'regions',
  'source_ip',
  'source_ips',
  'principal_arn',
  'severity',
] as const;

/** The values of a column of the alert, its subject or its events; none where there is no value that stands for all of its events. */
function valuesOf(column: string, finding: Finding, detector: Detector): readonly string[] {
  const value = finding.subject[column] ?? finding.columns[column];
  if (value !== null && value !== undefined) return [value];
  switch (column) {
    case 'account_id':
    case 'accounts':
      return finding.accounts;
    case 'region':
    case 'regions':
    case 'aws_region':
      return finding.regions;
    case 'source_ip':
    case 'source_ips':
      // More addresses than are kept: the others may be anybody's.
      return finding.sourceIps.length < EVIDENCE_MAX ? finding.sourceIps : [];
    case 'principal_arn':
      return finding.principalArn === null ? [] : [finding.principalArn];
    case 'severity':
      return [detector.severity];
    default:
      return [];
  }
}

/** `list:<name>` stands for each line of that list, `*` for any text, a network for its addresses. */
function matches(value: string, pattern: string, lists: AlertContext['lists']): boolean {
  if (pattern.startsWith('list:'))
    return (lists[pattern.slice('list:'.length)] ?? []).some((line) => matches(value, line, {}));
  if (pattern === value) return true;
  if (pattern.includes('*')) {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
    return new RegExp(`^${parts.join('[^]*')}$`, 'u').test(value);
  }
  const [network = '', bits = ''] = pattern.split('/');
  const family = isIP(value);
  if (family === 0 || isIP(network) !== family || !/^\d{1,3}$/u.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return false;
  const block = new BlockList();
  block.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return block.check(value, family === 4 ? 'ipv4' : 'ipv6');
}
