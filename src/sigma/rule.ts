/** What stands in a document of a rules file: a rule, a correlation of rules, or a filter over rules, with what all of them tell of themselves. */
import { SEVERITIES, type Severity } from '../alert.ts';
import { techniqueIn } from '../attack.ts';
import {
  type Entry,
  entryOf,
  type MapValue,
  mapOf,
  type Place,
  RuleProblem,
  type ScalarValue,
  textOf,
  textsOf,
  type Value,
} from './document.ts';
import type { Logsource } from './fields.ts';

export interface RuleHead {
  readonly place: Place;
  readonly title: string;
  /** As written; null where it has none. */
  readonly id: string | null;
  readonly name: string | null;
  readonly description: string | null;
  readonly references: readonly string[];
  /** The day of the last change as a number, 20250701; null where there is none. */
  readonly day: number | null;
  readonly level: Severity | null;
  readonly tags: readonly string[];
  readonly falsePositives: readonly string[];
  readonly definition: string | null;
}

export interface SigmaRule {
  readonly kind: 'rule';
  readonly head: RuleHead;
  readonly logsource: Logsource;
  readonly detection: MapValue;
}
export interface SigmaFilter {
  readonly kind: 'filter';
  readonly head: RuleHead;
  readonly logsource: Logsource;
  readonly filter: MapValue;
  /** Ids and names; null for every rule of the logsource. */
  readonly rules: readonly ScalarValue[] | null;
}
export interface SigmaCorrelation {
  readonly kind: 'correlation';
  readonly head: RuleHead;
  readonly correlation: MapValue;
  readonly type: string;
  readonly rules: readonly ScalarValue[];
  readonly isGenerating: boolean;
}
export type SigmaDocument = SigmaRule | SigmaFilter | SigmaCorrelation;

/** Names that a document is known by. */
export const namesOf = ({ id, name }: RuleHead): readonly string[] => [id, name].filter((one) => one !== null);

/** Keys of a detection that are no searches. */
export const NO_SEARCHES: readonly string[] = ['condition', 'timeframe'];

/** Throws `RuleProblem`. */
export function readDocument(value: Value): SigmaDocument {
  if (value.kind !== 'map') throw new RuleProblem(value.place, 'no Sigma rule: expected names and values');
  const kinds = ['detection', 'correlation', 'filter'].filter((key) => entryOf(value, key) !== undefined);
  if (kinds.length !== 1) {
    throw new RuleProblem(
      value.place,
      `no Sigma rule: expected one of detection, correlation and filter, found ${kinds.join(' and ') || 'none'}`,
    );
  }
  const head = headOf(value);
  const correlation = mapOf(value, 'correlation');
  if (correlation !== null) return correlationOf(head, correlation);
  const logsource = logsourceOf(value);
  const filter = mapOf(value, 'filter');
  if (filter !== null) return { kind: 'filter', head, logsource, filter, rules: filterRules(filter) };
  const detection = mapOf(value, 'detection');
  if (detection === null) throw new RuleProblem(value.place, 'no Sigma rule: detection is missing');
  return { kind: 'rule', head, logsource, detection };
}

/** What can be told of a document however broken it is. */
export function outline(value: Value): { readonly id: string | null; readonly title: string | null } {
  const text = (key: string): string | null => {
    const found = value.kind === 'map' ? entryOf(value, key)?.value : undefined;
    return found?.kind === 'scalar' && found.value !== null ? found.text : null;
  };
  return { id: text('id'), title: text('title') };
}

function headOf(map: MapValue): RuleHead {
  const title = textOf(map, 'title');
  if (title === null || title.trim() === '') throw new RuleProblem(map.place, 'title is missing');
  const level = textOf(map, 'level');
  const severity = SEVERITIES.find((known) => known === level) ?? null;
  if (level !== null && severity === null) {
    throw new RuleProblem(
      entryOf(map, 'level')?.value.place ?? map.place,
      `level is '${level}': expected one of ${SEVERITIES.join(', ')}`,
    );
  }
  return {
    place: entryOf(map, 'title')?.place ?? map.place,
    title: title.trim(),
    id: textOf(map, 'id'),
    name: textOf(map, 'name'),
    description: textOf(map, 'description'),
    references: textsOf(map, 'references').map(({ text }) => text),
    day: dayOf(textOf(map, 'modified')) ?? dayOf(textOf(map, 'date')),
    level: severity,
    tags: textsOf(map, 'tags').map(({ text }) => text),
    falsePositives: textsOf(map, 'falsepositives').map(({ text }) => text),
    definition: definitionOf(map),
  };
}

function definitionOf(map: MapValue): string | null {
  const value = entryOf(map, 'logsource')?.value;
  return value?.kind === 'map' ? textOf(value, 'definition') : null;
}

/** 20250701 for `2025-07-01` and for `2025/07/01`. */
function dayOf(text: string | null): number | null {
  const found = /^(\d{4})[-/](\d{2})[-/](\d{2})/u.exec(text ?? '');
  return found === null ? null : Number(`${found[1]}${found[2]}${found[3]}`);
}

function logsourceOf(map: MapValue): Logsource {
  const logsource = mapOf(map, 'logsource');
  if (logsource === null) throw new RuleProblem(map.place, 'logsource is missing');
  const part = (key: string): string | null => textOf(logsource, key)?.toLowerCase() ?? null;
  return { product: part('product'), category: part('category'), service: part('service') };
}

function filterRules(filter: MapValue): readonly ScalarValue[] | null {
  const entry = entryOf(filter, 'rules');
  if (entry === undefined)
    throw new RuleProblem(
      filter.place,
      "the filter does not say for which rules it is: expected rules, 'any' or a list",
    );
  const rules = textsOf(filter, 'rules');
  return rules.length === 0 || (rules.length === 1 && rules[0]?.text.toLowerCase() === 'any') ? null : rules;
}

function correlationOf(head: RuleHead, correlation: MapValue): SigmaCorrelation {
  const type = textOf(correlation, 'type');
  if (type === null) throw new RuleProblem(correlation.place, 'the correlation has no type');
  const rules = textsOf(correlation, 'rules');
  if (rules.length === 0) throw new RuleProblem(correlation.place, 'the correlation names no rules');
  return {
    kind: 'correlation',
    head,
    correlation,
    type,
    rules,
    isGenerating: textOf(correlation, 'generate') === 'true',
  };
}

/** The version of ATT&CK in which a number of a rule's tag is in force: the repository keeps up with the newest, and only numbers that went out of use are older. */
const NEWEST = 19;
const BEFORE = 18;

/** Techniques among the tags of a rule, such as `attack.t1078.004`. */
export function attackOf(tags: readonly string[]): { readonly technique: string; readonly version: number }[] {
  const numbers = tags.flatMap((tag) => /^attack[.](t\d{4}(?:[.]\d{3})?)$/iu.exec(tag)?.[1]?.toUpperCase() ?? []);
  return [...new Set(numbers)].map((technique) => ({
    technique,
    version: techniqueIn(technique, BEFORE, NEWEST) === technique ? NEWEST : BEFORE,
  }));
}

/** `sigma-` and the rule's id; of a rule without one its name, or its title. In kebab-case, as ids of detectors are. */
export function detectorId({ id, name, title }: RuleHead): string {
  const text = (id ?? name ?? title).normalize('NFKD').toLowerCase();
  return `sigma-${text.replaceAll(/[^a-z0-9]+/gu, '-').replaceAll(/^-+|-+$/gu, '') || 'rule'}`;
}

/** `action: global` gives its parts to the documents after it, `action: reset` ends that. */
export function withGlobals(values: readonly Value[]): readonly Value[] {
  let shared: MapValue | null = null;
  return values.flatMap((value): readonly Value[] => {
    if (value.kind !== 'map') return [value];
    const action = textOf(value, 'action');
    if (action === null) return [shared === null ? value : merged(shared, value)];
    const rest: MapValue = { ...value, entries: value.entries.filter(({ key }) => key !== 'action') };
    if (action === 'global') shared = shared === null ? rest : merged(shared, rest);
    else if (action === 'reset') shared = null;
    else return [value];
    return [];
  });
}

/** The names of both; where both have names and values under one, those of both again. */
function merged(below: MapValue, above: MapValue): MapValue {
  const inherited = below.entries.filter(({ key }) => entryOf(above, key) === undefined);
  const own = above.entries.map((entry): Entry => {
    const other = entryOf(below, entry.key)?.value;
    return other?.kind === 'map' && entry.value.kind === 'map'
      ? { ...entry, value: merged(other, entry.value) }
      : entry;
  });
  return { ...above, entries: [...inherited, ...own] };
}
