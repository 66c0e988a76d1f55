/** Findings as alerts: secrets masked, the summary made printable, suppressions applied. */
import { createHash } from 'node:crypto';
import { type Alert, EVIDENCE_MAX, type KnownContext } from '../alert.ts';
import type { Value } from '../backend.ts';
import type { Detector } from '../detector.ts';
import { ADDRESS_FIELDS, type Enrichment } from '../enrichment.ts';
import type { Finding } from '../hunt.ts';
import { contains, parseAddress, parseNetworkOrAddress } from '../network.ts';
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
  readonly enrichment: Enrichment;
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
    context: contextOf(finding, context.enrichment),
    attack: detector.attack.map(({ technique, version }) => ({ technique, version })),
    event_ids: mask.value(finding.eventIds),
    event_ids_total: finding.count,
    parameters: parameters as Readonly<Record<string, Value>>,
    suppressed_by: suppression === undefined ? null : suppressionLabel(suppression),
    new: true,
    coverage: null,
  };
}

/** What is known of the finding's addresses and accounts. */
function contextOf({ sourceIps, accounts }: Finding, enrichment: Enrichment): KnownContext | null {
  const known = <T extends object>(keys: readonly string[], find: (key: string) => T | null | undefined) =>
    Object.fromEntries(
      keys.flatMap((key): [string, Partial<T>][] => {
        const values = Object.entries(find(key) ?? {}).filter(
          ([, value]) => value !== null && (typeof value !== 'object' || Object.keys(value).length > 0),
        );
        return values.length === 0 ? [] : [[key, Object.fromEntries(values) as Partial<T>]];
      }),
    );
  const context = {
    addresses: known(sourceIps, (address) => enrichment.address(address)),
    accounts: known(accounts, (id) => enrichment.accounts.get(id)),
  };
  return Object.keys(context.addresses).length + Object.keys(context.accounts).length === 0 ? null : context;
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
  { detector, suppressions, lists, enrichment, nowMs }: Omit<AlertContext, 'parameters'>,
): Suppression | undefined {
  return suppressions.find((suppression) => {
    const { where, until } = suppression;
    if (suppression.detector !== null && suppression.detector !== detector.id) return false;
    if (until !== null && Date.parse(until) <= nowMs) return false;
    const conditions = Object.entries(where);
    // Without detector and conditions it would hide everything.
    if (suppression.detector === null && conditions.length === 0) return false;
    return conditions.every(([column, pattern]) => {
      const values = valuesOf(column, finding, detector, enrichment);
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
  // What is known beside the logs of the addresses and accounts of the alert.
  ...ADDRESS_FIELDS.map(({ name }) => `source_${name}`),
  'account_name',
  'account_ou',
];

/** The values of a column of the alert, its subject or its events; none where there is no value that stands for all of its events. */
function valuesOf(column: string, finding: Finding, detector: Detector, enrichment: Enrichment): readonly string[] {
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
    case 'account_name':
    case 'account_ou': {
      const field = column === 'account_name' ? 'name' : 'ou';
      return knownOfAll(finding.accounts, (id) => enrichment.accounts.get(id)?.[field]);
    }
    default: {
      const field = ADDRESS_FIELDS.find(({ name }) => column === `source_${name}`)?.name;
      if (field === undefined || finding.sourceIps.length >= EVIDENCE_MAX) return [];
      return knownOfAll(finding.sourceIps, (address) => {
        const known = enrichment.address(address);
        return known?.[field as keyof typeof known];
      });
    }
  }
}

/** What is known of each; nothing where it is not known of all. */
function knownOfAll(
  keys: readonly string[],
  find: (key: string) => string | number | null | undefined,
): readonly string[] {
  const values = keys.map(find).filter((value) => value !== null && value !== undefined);
  return values.length < keys.length ? [] : values.map(String);
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
  const [network, address] = [parseNetworkOrAddress(pattern), parseAddress(value)];
  return network !== null && address !== null && contains(network, address);
}
