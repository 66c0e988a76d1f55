/** Whether a detector can fire at all: what can be told of it before it meets an event. */
import type { Backend, Param } from '../backend.ts';
import { type Detector, type ExampleRecord, parameterValues } from '../detector.ts';
import { AppError } from '../errors.ts';
import type { HuntEngine, HuntTask } from '../hunt.ts';
import { suggestion } from '../suggest.ts';
import type { Column, Table } from '../table.ts';
import { DAY_MS } from '../time.ts';
import { compile, conditionsOf } from './compile.ts';
import { samplesOf } from './example-records.ts';
import type { EventNames, Technique } from './facts.ts';
import { contradictionOf, holdsOf, valuesOf } from './satisfiable.ts';
import { dataEventType } from './silence.ts';
import { type Term, type Test, termsOf } from './terms.ts';

/** What is looked at. Names are stable: `--ignore` takes them. */
export const LINT_RULES = {
  unusable:
    'The detector does not load, or its condition or SQL cannot be run: a column, path, operator or type is wrong.',
  'event-source': 'No service logs under this event source.',
  'event-name': 'The event source has no event of this name.',
  'field-path': 'No record of an example holds this field.',
  'never-filled': 'The format never fills this column for these events.',
  'never-taken': 'The column never takes this value.',
  contradiction: 'The condition can never hold.',
  'dead-branch': 'A part of the condition can never hold.',
  regex: 'A pattern that RE2 refuses, or that takes an engine that backtracks very long.',
  technique: 'ATT&CK has no such technique in that version.',
  examples: 'There is no example that must raise an alert, or none that must not, or one does not come out as it says.',
  'data-events': 'It looks at data events and does not say that it needs them.',
  parameter: 'A parameter that nothing uses.',
  'too-broad': 'It holds for a large share of the events of the store.',
} as const;
export type LintRule = keyof typeof LINT_RULES;

export interface LintProblem {
  readonly rule: LintRule;
  /** An error keeps the detector, or a part of it, from firing. */
  readonly level: 'error' | 'warning';
  /** Where in the detector, such as `when.any[1].event_name`. */
  readonly at: string;
  /** A sentence. */
  readonly message: string;
}

export interface LintContext {
  /** Its own table. */
  readonly table: Table;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly events: EventNames;
  readonly techniques: ReadonlyMap<string, Technique>;
  /** Records of other detectors' examples on the same table: fields that somebody has seen. */
  readonly seen: readonly ExampleRecord[];
}

/** All but what takes an engine: whether its SQL runs, its examples hold, and how broad it is on a store. */
export function lint(detector: Detector, context: LintContext): readonly LintProblem[] {
  const problems = [
    ...structure(detector, context),
    ...techniqueProblems(detector, context),
    ...exampleProblems(detector),
  ];
  const parameters = parameterValues(detector, {});
  const own = detector.examples.flatMap((example) => samplesOf(example, detector.table).map(({ record }) => record));
  for (const [index, condition] of conditionsOf(detector).entries()) {
    const at = detector.sequence === undefined ? 'when' : `sequence.steps[${index}]`;
    problems.push(...conditionProblems(termsOf(condition, at, parameters), own, { ...context, detector, at }));
  }
  if (detector.sql !== undefined) problems.push(...sqlProblems(detector, detector.sql, context));
  return unique(problems);
}

/** What an engine says of its statements, run over tables without events. */
export async function runProblems(
  detector: Detector,
  {
    engine,
    backend,
    lists,
  }: { readonly engine: HuntEngine; readonly backend: Backend; readonly lists: LintContext['lists'] },
): Promise<readonly LintProblem[]> {
  const parameters = parameterValues(detector, {});
  const window = { fromMs: 0, toMs: DAY_MS };
  const request = { tasks: [{ detector, parameters, window }], lists, columns: [], nowMs: 400 * DAY_MS };
  const params = { ...parameters, from: new Date(window.fromMs), to: new Date(window.toMs) } as Record<string, Param>;
  try {
    for (const { sql } of engine.explain(request, { keeps: false }))
      await backend.query(sql, detector.sql === undefined ? {} : params, { window });
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [
      { rule: 'unusable', level: 'error', at: detector.sql === undefined ? '' : 'sql', message: withHint(error) },
    ];
  }
}

const unique = (problems: readonly LintProblem[]): readonly LintProblem[] => [
  ...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values(),
];

function structure(detector: Detector, { table, lists }: LintContext): readonly LintProblem[] {
  const used = JSON.stringify([detector.when, detector.threshold, detector.baseline, detector.sequence]);
  const idle = Object.keys(detector.parameters ?? {}).filter(
    (name) => !used.includes(`"parameter":"${name}"`) && !new RegExp(`:${name}\\b`, 'u').test(detector.sql ?? ''),
  );
  const unused = idle.map(
    (name): LintProblem => ({
      rule: 'parameter',
      level: 'warning',
      at: `parameters.${name}`,
      message: `nothing uses the parameter '${name}'`,
    }),
  );
  try {
    const task: HuntTask = { detector, parameters: parameterValues(detector, {}), window: { fromMs: 0, toMs: 1 } };
    compile(task, table, lists);
    return unused;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const isPattern = /which RE2 has not/u.test(error.message);
    return [...unused, { rule: isPattern ? 'regex' : 'unusable', level: 'error', at: '', message: withHint(error) }];
  }
}

const withHint = ({ message, hint }: AppError): string => {
  const said = message.replace(/^cannot use the detector '[^']*': /u, '');
  return hint === undefined ? said : `${said}. ${hint}`;
};

function techniqueProblems({ attack }: Detector, { techniques }: LintContext): readonly LintProblem[] {
  const known = [...techniques.values()];
  const newest = Math.max(...known.map(({ first }) => first));
  const oldest = Math.min(...known.map(({ first }) => first));
  return attack.flatMap(({ technique: id, version }, index): readonly LintProblem[] => {
    const at = `attack[${index}]`;
    const technique = techniques.get(id);
    if (technique === undefined) {
      const near = suggestion(id, [...techniques.keys()]);
      return [{ rule: 'technique', level: 'error', at, message: `ATT&CK has no technique ${id}.${near}` }];
    }
    if (version < oldest || version > newest) {
      const message = `version ${version} of ATT&CK is not known here, which has ${oldest} to ${newest}`;
      return [{ rule: 'technique', level: 'warning', at, message }];
    }
    if (version < technique.first)
      return [
        {
          rule: 'technique',
          level: 'error',
          at,
          message: `${id} is not in ATT&CK ${version}: it came with ${technique.first}`,
        },
      ];
    if (technique.last !== null && version > technique.last) {
      const message = `${id} is not in ATT&CK ${version}: ${technique.last} was the last version that had it`;
      return [{ rule: 'technique', level: 'error', at, message }];
    }
    return [];
  });
}

function exampleProblems({ examples }: Detector): readonly LintProblem[] {
  const problem = (level: LintProblem['level'], message: string): LintProblem => ({
    rule: 'examples',
    level,
    at: 'examples',
    message,
  });
  if (examples.length === 0) return [problem('error', 'it has no example: nothing shows that it can fire')];
  return [
    ...(examples.some(({ alerts }) => alerts.length > 0) ? [] : [problem('error', 'no example raises an alert')]),
    ...(examples.some(({ alerts }) => alerts.length === 0)
      ? []
      : [problem('warning', 'no example stays silent: nothing shows what it spares')]),
  ];
}

interface ConditionScope extends LintContext {
  readonly detector: Detector;
  readonly at: string;
}

function conditionProblems(
  all: readonly Term[] | null,
  own: readonly ExampleRecord[],
  scope: ConditionScope,
): readonly LintProblem[] {
  // Too many ways to look into.
  if (all === null) return [];
  const columnOf = (key: string): Column | undefined => scope.table.columns.find(({ name }) => name === key);
  const judged = all.map((term) => ({ term, impossible: contradictionOf(term, columnOf) }));
  const terms = judged.filter(({ impossible }) => impossible === null).map(({ term }) => term);
  if (terms.length === 0) {
    const why = judged[0]?.impossible ?? { at: scope.at, why: 'no comparison is left that could hold' };
    return [{ rule: 'contradiction', level: 'error', at: why.at, message: `it can never hold: ${why.why}` }];
  }
  const living = new Set(terms.flat());
  const dead = judged.flatMap(({ impossible, term }) =>
    impossible !== null && term.some((test) => !living.has(test)) ? [impossible] : [],
  );
  const tests = [...living];
  return [
    ...dead.map(
      ({ at, why }): LintProblem => ({
        rule: 'dead-branch',
        level: 'warning',
        at,
        message: `a part can never hold: ${why}`,
      }),
    ),
    ...tests.flatMap((test) => valueProblems(test, columnOf(test.key))),
    ...tests.flatMap((test) => (test.operator === 're' ? patternProblems(String(test.operand), test.at) : [])),
    ...fieldProblems(terms, own, scope),
    ...(scope.table.name === 'cloudtrail' ? eventProblems(terms, scope) : []),
  ];
}

/** Values that a column never takes. */
function valueProblems(test: Test, column: Column | undefined): readonly LintProblem[] {
  if (column?.values === undefined) return [];
  const { values } = column;
  const level = column.derive === undefined ? 'warning' : 'error';
  const expected = `it takes ${values.join(', ')}`;
  if (test.operator === 'is') {
    return valuesOf(test.operand)
      .filter((value) => !values.includes(value))
      .map((value) => ({
        rule: 'never-taken',
        level,
        at: test.at,
        message: `'${test.key}' is never '${value}': ${expected}`,
      }));
  }
  return values.some((value) => holdsOf(test, value) !== false)
    ? []
    : [
        {
          rule: 'never-taken',
          level,
          at: test.at,
          message: `no value of '${test.key}' passes '${test.operator}': ${expected}`,
        },
      ];
}

/** `(a+)+` and its like, which take an engine that backtracks exponentially long. Athena's does: https://trino.io/docs/current/functions/regexp.html */
export function backtracks(pattern: string): boolean {
  const groups: { repeats: boolean }[] = [{ repeats: false }];
  const bare = pattern.replaceAll(/\\./gu, 'x').replaceAll(/\[\^?\]?[^\]]*\]/gu, 'x');
  for (let at = 0; at < bare.length; at += 1) {
    const rest = bare.slice(at);
    if (bare[at] === '(') groups.push({ repeats: false });
    else if (bare[at] === ')') {
      const group = groups.pop();
      const outer = groups.at(-1);
      const isRepeated = /^\)(?:[*+]|\{\d+,\})/u.test(rest);
      if (group?.repeats === true && isRepeated) return true;
      if (outer !== undefined && (group?.repeats === true || isRepeated)) outer.repeats = true;
    } else if (/^(?:[*+]|\{\d+,\})/u.test(rest) && bare[at - 1] !== ')') {
      const group = groups.at(-1);
      if (group !== undefined) group.repeats = true;
    }
  }
  return false;
}

function patternProblems(pattern: string, at: string): readonly LintProblem[] {
  return backtracks(pattern)
    ? [
        {
          rule: 'regex',
          level: 'warning',
          at,
          message: `the pattern ${pattern} repeats what repeats: on Athena, which backtracks, one value can take it very long`,
        },
      ]
    : [];
}

/** Fields that no record holds: of its own examples, or of those of other detectors for the same events. */
function fieldProblems(
  terms: readonly Term[],
  own: readonly ExampleRecord[],
  { table, seen }: ConditionScope,
): readonly LintProblem[] {
  const problems = new Map<string, LintProblem>();
  const found = new Set<string>();
  for (const term of terms) {
    const others = seen.filter((record) => isOfEvents(record, term));
    // Without any example that is what is told of.
    if (own.length + others.length === 0) continue;
    for (const { key, at, negated, operator, operand } of term) {
      if (!key.includes('.') || negated || (operator === 'exists' && operand === false)) continue;
      const [name = '', ...path] = (key.split('#')[0] ?? '').split('.');
      const raw = table.columns.find((column) => column.name === name.replace('[]', ''))?.raw;
      if (raw === undefined) continue;
      const whole = [...raw.split('.'), ...path];
      if ([...own, ...others].some((record) => isFilled(record, whole))) found.add(key);
      const message = `no record of an example has ${whole.join('.')}: nothing shows that AWS writes such a field`;
      problems.set(key, { rule: 'field-path', level: 'error', at, message });
    }
  }
  return [...problems].filter(([key]) => !found.has(key)).map(([, problem]) => problem);
}

/** Whether a record is of the source and name that a term asks for, as far as it does. */
function isOfEvents(record: ExampleRecord, term: Term): boolean {
  if (typeof record === 'string') return true;
  return (
    [
      ['event_source', 'eventSource'],
      ['event_name', 'eventName'],
    ] as const
  ).every(([column, field]) => {
    const values = equalTo(term, column);
    return values === null || values.includes(String(record[field]).toLowerCase());
  });
}

/** A value at a path, in any element of the arrays on its way; a policy inside a text counts as what it holds. */
function isFilled(value: unknown, path: readonly string[]): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.some((item) => isFilled(item, path));
  const [key, ...rest] = path;
  if (key === undefined) return true;
  if (typeof value !== 'object') return false;
  return isFilled(Reflect.get(value, key.replace(/\[\]$/u, '')), rest);
}

/** Event sources and names that do not go together, and what these events never have. */
function eventProblems(terms: readonly Term[], scope: ConditionScope): readonly LintProblem[] {
  const problems: LintProblem[] = [];
  /** Names of events by where they stand, with whether any way has a source that fits them. */
  const names = new Map<
    string,
    { readonly test: Test; readonly name: string; fits: boolean; readonly sources: Set<string> }
  >();
  for (const term of terms) {
    const sources = equalTo(term, 'event_source');
    const known = sources?.filter((source) => scope.events.isSource(source)) ?? [null];
    for (const test of term.filter(({ key }) => key === 'event_source')) problems.push(...sourceProblems(test, scope));
    for (const test of term.filter(({ key }) => key === 'event_name')) {
      for (const name of test.operator === 'is'
        ? valuesOf(test.operand)
        : [`${test.operator} ${valuesOf(test.operand).join(', ')}`]) {
        const key = JSON.stringify([test.at, name, test.negated]);
        const entry = names.get(key) ?? { test, name, fits: false, sources: new Set<string>() };
        names.set(key, entry);
        for (const source of sources ?? []) entry.sources.add(source);
        entry.fits ||= known.length === 0 || known.some((source) => fitsSource(test, name, source, scope));
      }
    }
    problems.push(...neverFilled(term));
  }
  for (const { test, name, fits, sources } of names.values())
    if (!fits) problems.push(nameProblem(test, name, [...sources], scope));
  problems.push(...dataEventProblems(terms, scope));
  return problems;
}

function fitsSource(test: Test, name: string, source: string | null, { events }: LintContext): boolean {
  if (test.operator === 'is') return events.has(source, name);
  return events.namesOf(source).some((one) => holdsOf({ ...test, negated: false }, one) !== false);
}

function sourceProblems(test: Test, { events }: LintContext): readonly LintProblem[] {
  const level = test.negated ? 'warning' : 'error';
  if (test.operator === 'is') {
    return valuesOf(test.operand)
      .filter((source) => !events.isSource(source))
      .map((source) => ({
        rule: 'event-source',
        level,
        at: test.at,
        message: `no service logs as '${source}'.${suggestion(source.toLowerCase(), events.sources)}`,
      }));
  }
  return events.sources.some((source) => holdsOf(test, source) !== false)
    ? []
    : [
        {
          rule: 'event-source',
          level,
          at: test.at,
          message: `no event source passes '${test.operator}' ${valuesOf(test.operand).join(', ')}`,
        },
      ];
}

function nameProblem(test: Test, name: string, sources: readonly string[], { events }: LintContext): LintProblem {
  const elsewhere = test.operator === 'is' ? events.sourcesOf(name) : [];
  const where =
    sources.length === 0
      ? 'no service logs an event'
      : `${sources.join(', ')} ${sources.length === 1 ? 'logs' : 'log'} no event`;
  const known = sources.length === 0 ? events.namesOf(null) : sources.flatMap((source) => events.namesOf(source));
  const help =
    elsewhere.length > 0
      ? ` It is an event of ${elsewhere.slice(0, 3).join(', ')}.`
      : test.operator === 'is'
        ? suggestion(name, known)
        : '';
  return {
    rule: 'event-name',
    level: test.negated ? 'warning' : 'error',
    at: test.at,
    message: `${where} '${name}'.${help}`,
  };
}

/** The values that a column is compared with for equality; null where it may be any. */
function equalTo(term: Term, key: string): readonly string[] | null {
  const sets = term
    .filter((test) => test.key === key && test.operator === 'is' && !test.negated)
    .map(({ operand }) => valuesOf(operand).map((value) => value.toLowerCase()));
  return sets.length === 0 ? null : sets.reduce((left, right) => left.filter((value) => right.includes(value)));
}

const READS = /^(?:describe|get(?!signintoken|federationtoken|sessiontoken)|head|list)/u;

/** Columns that CloudTrail leaves empty for the events of a term: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
function neverFilled(term: Term): readonly LintProblem[] {
  const names = equalTo(term, 'event_name');
  const types = equalTo(term, 'user_type');
  const problem = (test: Test, why: string): LintProblem => ({
    rule: 'never-filled',
    level: 'error',
    at: test.at,
    message: `'${test.key}' has no value here: ${why}`,
  });
  return term.flatMap((test): readonly LintProblem[] => {
    const { key, negated, operator, operand } = test;
    if (negated || (operator === 'exists' && operand === false)) return [];
    if (key === 'console_login' && names !== null && !names.includes('consolelogin'))
      return [problem(test, 'only ConsoleLogin has it')];
    if (key === 'error_code' && names?.every((name) => name === 'consolelogin'))
      return [problem(test, 'a failed ConsoleLogin has an error message and no code; compare outcome')];
    if (key.startsWith('response_elements') && names?.every((name) => READS.test(name)) === true)
      return [problem(test, 'calls that only read have no response')];
    if (
      key.startsWith('session_issuer_') &&
      types?.every((type) => ['iamuser', 'root', 'awsaccount', 'awsservice'].includes(type)) === true
    )
      return [problem(test, 'only sessions have an issuer')];
    return [];
  });
}

function dataEventProblems(terms: readonly Term[], { detector }: ConditionScope): readonly LintProblem[] {
  if (detector.needsDataEvents !== undefined) return [];
  const types = terms.flatMap((term) =>
    (equalTo(term, 'event_source') ?? ['']).flatMap((source) =>
      (equalTo(term, 'event_name') ?? ['']).map((name) => dataEventType(source, name)),
    ),
  );
  const [type] = types;
  if (type === undefined || type === null || types.includes(null)) return [];
  return [
    {
      rule: 'data-events',
      level: 'warning',
      at: 'needsDataEvents',
      message: `it sees nothing without data events of ${type}: say so in needsDataEvents`,
    },
  ];
}

/** Constants that the SQL compares columns with, as far as they can be seen. */
function sqlProblems(detector: Detector, sql: string, context: LintContext): readonly LintProblem[] {
  const bare = sql.replaceAll(/--[^\n]*/gu, ' ');
  const constants = (column: string): readonly string[] =>
    [
      ...bare.matchAll(
        new RegExp(
          `\\b${column}\\b\\s*\\)?\\s*(?:=|<>|(?:NOT\\s+)?IN\\s*\\()\\s*((?:'(?:[^']|'')*'\\s*,?\\s*)+)`,
          'giu',
        ),
      ),
    ].flatMap(([, list = '']) =>
      [...list.matchAll(/'((?:[^']|'')*)'/gu)].map(([, value = '']) => value.replaceAll("''", "'")),
    );
  const test = (key: string, value: string): Test => ({
    at: 'sql',
    key,
    operator: 'is',
    operand: value,
    isGiven: false,
    caseless: true,
    negated: false,
  });
  const values = context.table.columns.flatMap((column) =>
    column.values === undefined
      ? []
      : constants(column.name).flatMap((value) => valueProblems(test(column.name, value), column)),
  );
  const patterns = [...bare.matchAll(/\bregexp_\w+\([^']*'((?:[^']|'')*)'/giu)].flatMap(([, pattern = '']) =>
    patternProblems(pattern, 'sql'),
  );
  if (context.table.name !== 'cloudtrail') return [...values, ...patterns];
  const sources = constants('event_source');
  const names = constants('event_name');
  return [
    ...values,
    ...patterns,
    ...sources.flatMap((source) => sourceProblems(test('event_source', source), context)),
    ...names
      .filter((name) => !context.events.has(null, name))
      .map((name) => nameProblem(test('event_name', name), name, [], context)),
  ];
}
