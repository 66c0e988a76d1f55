/** Detectors as a hunt runs them: with other parameters for some accounts, and without those of which the data is not configured. */
import type { Condition, Detector } from '../detector.ts';
import { CONTEXT_PLACES, CONTEXT_SOURCES, type ContextSource, type Enrichment, sourcesNamed } from '../enrichment.ts';

/** Values of parameters that hold for some accounts. */
export interface Override {
  readonly accounts: readonly string[];
  /** By detector id and name; unchecked. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Accounts for which a detector runs with one set of values. */
export interface Scope {
  /** Null for all that no other scope has. */
  readonly accounts: readonly string[] | null;
  /** Those that other scopes have. */
  readonly without: readonly string[];
  readonly given: Readonly<Record<string, unknown>>;
}

/** The scopes of a detector: one where no override is about it. Of several overrides for an account, a later one stands over an earlier. */
export function scopesOf(
  id: string,
  given: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
): readonly Scope[] {
  const own = overrides.filter(({ parameters }) => Object.hasOwn(parameters, id));
  const accounts = [...new Set(own.flatMap((override) => override.accounts))].toSorted();
  const groups = new Map<string, { readonly given: Readonly<Record<string, unknown>>; readonly accounts: string[] }>();
  for (const account of accounts) {
    const values = own
      .filter((override) => override.accounts.includes(account))
      .reduce((before, { parameters }) => ({ ...before, ...parameters[id] }), given);
    const key = JSON.stringify(values);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { given: values, accounts: [account] });
    else group.accounts.push(account);
  }
  return [
    { accounts: null, without: accounts, given },
    ...[...groups.values()].map((group) => ({ accounts: group.accounts, without: [], given: group.given })),
  ];
}

/** Whether an alert of these accounts may have been found in it. */
export const isOfScope = (ids: readonly string[], { accounts, without }: Scope): boolean =>
  accounts === null
    ? ids.length === 0 || ids.some((id) => !without.includes(id))
    : ids.some((id) => accounts.includes(id));

/** The detector over the events of these accounts; `column` holds their account. */
export function scoped(
  detector: Detector,
  { accounts, without }: Pick<Scope, 'accounts' | 'without'>,
  column: string,
): Detector {
  if (accounts === null && without.length === 0) return detector;
  const mine: Condition = accounts === null ? { not: { [column]: without } } : { [column]: accounts };
  const within = (condition: Condition): Condition => ({ all: [mine, condition] });
  const { when, sequence } = detector;
  if (sequence === undefined) return { ...detector, when: when === undefined ? mine : within(when) };
  const steps = sequence.steps.map((step) =>
    'when' in step && 'atLeast' in step ? { ...step, when: within(step.when as Condition) } : within(step),
  ) as typeof sequence.steps;
  return { ...detector, sequence: { ...sequence, steps } };
}

const piecesOf = ({ when, threshold, baseline, sequence, sql, subject, summary }: Detector): unknown => [
  when,
  threshold,
  baseline,
  sequence,
  sql,
  subject,
  summary,
];

/** What a detector needs to be known beside the logs. */
export const neededBy = (detector: Detector): readonly ContextSource[] => sourcesNamed(piecesOf(detector));

/** Of what a detector needs, what is not configured. */
export const missingFor = (detector: Detector, { sources }: Enrichment): readonly ContextSource[] =>
  neededBy(detector).filter((source) => !sources.has(source));

/** Says which detectors stay silent for want of data. */
export function silenceNotes(detectors: readonly Detector[], enrichment: Enrichment): readonly string[] {
  if (enrichment.sources.size === 0) {
    const count = detectors.filter((detector) => missingFor(detector, enrichment).length > 0).length;
    // Most never configure any: one line, not one for each kind.
    return count === 0
      ? []
      : [
          `${count} ${count === 1 ? 'detector' : 'detectors'}: silent, nothing is configured under enrichment (docs/enrichment.md)`,
        ];
  }
  return CONTEXT_SOURCES.flatMap((source) => {
    const silent = detectors.filter((detector) => missingFor(detector, enrichment)[0] === source).map(({ id }) => id);
    const { key, what } = CONTEXT_PLACES[source];
    return silent.length === 0
      ? []
      : [`${silent.length === 1 ? 'detector' : 'detectors'} ${silent.join(', ')}: silent, ${what} (${key})`];
  });
}
