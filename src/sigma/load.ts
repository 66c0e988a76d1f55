/** Loads files of Sigma rules: what of them became a detector, and of all else where it stands and why it did not. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Condition, Detector } from '../detector.ts';
import { AppError } from '../errors.ts';
import type { Table } from '../table.ts';
import { type Correlation, type RuleSource, readCorrelation } from './correlation.ts';
import type { SqlWords } from './correlation-sql.ts';
import { correlationDetector, ruleDetector } from './detector.ts';
import { entryOf, type MapValue, type Place, RuleProblem, readDocuments, type Value } from './document.ts';
import { type Expression, parseExpression } from './expression.ts';
import { covers, logsourceText, tableOf } from './fields.ts';
import {
  NO_SEARCHES,
  namesOf,
  outline,
  type RuleHead,
  readDocument,
  type SigmaCorrelation,
  type SigmaDocument,
  type SigmaFilter,
  type SigmaRule,
  withGlobals,
} from './rule.ts';
import { anyOf, type SearchContext, searchesOf } from './search.ts';

/**
 * `loaded`: it is a detector. `refused`: it cannot be used. `foreign`: it is about logs of others. `part`: a correlation has it, or it is a filter that was applied.
 */
export type RuleStatus = 'loaded' | 'refused' | 'foreign' | 'part';

/** What became of one document. */
export interface RuleReport {
  readonly file: string;
  /** From 1; of what is wrong, where something is. */
  readonly line: number;
  readonly column: number;
  readonly id: string | null;
  readonly title: string | null;
  readonly status: RuleStatus;
  /** Why it is no detector. */
  readonly reason: string | null;
  readonly detector: string | null;
  /** What in a loaded rule cannot be what its author meant. */
  readonly warnings: readonly string[];
}

export interface LoadedRule {
  readonly detector: Detector;
  /** `file:line` of the rule. */
  readonly origin: string;
}

export interface LoadedRules {
  readonly rules: readonly LoadedRule[];
  readonly reports: readonly RuleReport[];
}

export interface LoadOptions {
  readonly tables: readonly Table[];
  readonly placeholders: Readonly<Record<string, readonly string[]>>;
  readonly lists: readonly string[];
  /** Only what Athena has as well. */
  readonly portable: boolean;
  readonly words: SqlWords;
  /** Throws an `AppError` for what the engine cannot run. */
  readonly check: (detector: Detector) => void;
}

const EXTENSIONS: readonly string[] = ['.yml', '.yaml'];

/** Files, and those of folders, in the order of their paths. Throws `config-invalid` for a path that cannot be read. */
export function loadRules(paths: readonly string[], options: LoadOptions): LoadedRules {
  const files = [...new Set(paths.flatMap(filesUnder))];
  const texts = files.map((file) => ({ file, text: readText(file) }));
  return new Loader(options).load(texts);
}

function filesUnder(path: string): readonly string[] {
  try {
    if (statSync(path).isFile()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => EXTENSIONS.includes(extname(name)))
      .map((name) => join(path, name))
      .toSorted();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(path: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AppError('config-invalid', `cannot read the rules in ${path}: ${reason}`, {
    hint: 'Give a file or a folder of Sigma rules in YAML.',
    cause,
  });
}

/** A document on its way. */
interface Draft {
  readonly document: SigmaDocument;
  readonly warnings: string[];
  isPart: boolean;
}

class Loader {
  readonly #options: LoadOptions;
  readonly #rules: LoadedRule[] = [];
  readonly #reports: RuleReport[] = [];
  readonly #drafts: Draft[] = [];
  /** By id and by name. */
  readonly #known = new Map<string, Draft>();
  readonly #twins = new Set<string>();
  readonly #sources = new Map<Draft, RuleSource | Correlation | RuleProblem>();
  readonly #ids = new Map<string, string>();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  load(texts: readonly { readonly file: string; readonly text: string }[]): LoadedRules {
    for (const { file, text } of texts) this.#read(file, text);
    for (const draft of this.#drafts) this.#markParts(draft);
    for (const draft of this.#drafts) this.#finish(draft);
    const reports = this.#reports.toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
    return { rules: this.#rules, reports };
  }

  #read(file: string, text: string): void {
    const values: Value[] = [];
    for (const document of readDocuments(text, file)) {
      if ('problem' in document) this.#refuse(document.problem, { id: null, title: null });
      else values.push(document.value);
    }
    let documents: readonly Value[];
    try {
      documents = withGlobals(values);
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      this.#refuse(error, { id: null, title: null });
      return;
    }
    for (const value of documents) {
      try {
        this.#keep(readDocument(value));
      } catch (error) {
        if (!(error instanceof RuleProblem)) throw error;
        this.#refuse(error, outline(value));
      }
    }
  }

  #keep(document: SigmaDocument): void {
    const draft: Draft = { document, warnings: [], isPart: false };
    this.#drafts.push(draft);
    for (const name of new Set(namesOf(document.head))) {
      if (this.#known.has(name)) this.#twins.add(name);
      else this.#known.set(name, draft);
    }
  }

  /** Rules that a correlation is made of are no detectors of their own unless it says so. */
  #markParts({ document }: Draft): void {
    if (document.kind !== 'correlation' || document.isGenerating) return;
    for (const { text } of document.rules) {
      const draft = this.#known.get(text);
      if (draft !== undefined) draft.isPart = true;
    }
  }

  #finish(draft: Draft): void {
    const { document } = draft;
    if (document.kind === 'filter') {
      this.#finishFilter(draft, document);
      return;
    }
    const { head } = document;
    if (document.kind === 'rule' && tableOf(document.logsource) === null) {
      this.#report(head, 'foreign', `its logs are ${logsourceText(document.logsource)}`, draft.warnings);
      return;
    }
    const source = this.#sourceOf(draft);
    if (source instanceof RuleProblem) {
      this.#refuse(source, head, draft.warnings);
      return;
    }
    if (draft.isPart) {
      this.#report(head, 'part', 'a correlation is made of it', draft.warnings);
      return;
    }
    try {
      this.#add(head, source, draft);
    } catch (error) {
      const problem = error instanceof AppError ? new RuleProblem(head.place, error.message) : error;
      if (!(problem instanceof RuleProblem)) throw error;
      this.#refuse(problem, head, draft.warnings);
    }
  }

  #add(head: RuleHead, source: RuleSource | Correlation, { warnings }: Draft): void {
    const { words, portable, check } = this.#options;
    const detector =
      source.kind === 'rule'
        ? ruleDetector(head, source)
        : correlationDetector(head, source, this.#levelsBelow(source), { words, portable });
    check(detector);
    const origin = `${head.place.file}:${head.place.line}`;
    const other = this.#ids.get(detector.id);
    if (other !== undefined)
      throw new RuleProblem(head.place, `${other} is the detector '${detector.id}' already: two rules need two ids`);
    this.#ids.set(detector.id, origin);
    this.#rules.push({ detector, origin });
    this.#report(head, 'loaded', null, warnings, detector.id);
  }

  #levelsBelow(correlation: Correlation): readonly RuleHead['level'][] {
    return [...this.#sources]
      .filter(([, source]) => !(source instanceof RuleProblem) && correlation.sources.includes(source))
      .map(([{ document }]) => document.head.level);
  }

  /** What a correlation, or the engine, can make of a document. Each is read once. */
  #sourceOf(draft: Draft): RuleSource | Correlation | RuleProblem {
    const known = this.#sources.get(draft);
    if (known !== undefined) return known;
    // Until it is known: a correlation that leads back to itself.
    this.#sources.set(draft, new RuleProblem(draft.document.head.place, 'it correlates itself'));
    let source: RuleSource | Correlation | RuleProblem;
    try {
      source = this.#readSource(draft);
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      source = error;
    }
    this.#sources.set(draft, source);
    return source;
  }

  #readSource(draft: Draft): RuleSource | Correlation {
    const { document } = draft;
    switch (document.kind) {
      case 'rule':
        return this.#readRule(document, draft.warnings);
      case 'correlation':
        return readCorrelation(document, this.#correlated(document));
      case 'filter':
        throw new RuleProblem(document.head.place, 'a filter cannot be correlated');
    }
  }

  #correlated(document: SigmaCorrelation): readonly (RuleSource | Correlation)[] {
    return document.rules.map(({ text, place }) => {
      if (this.#twins.has(text)) throw new RuleProblem(place, `several rules are called '${text}'`);
      const draft = this.#known.get(text);
      if (draft === undefined) throw new RuleProblem(place, `there is no rule '${text}' among those that were read`);
      if (draft.document.kind === 'rule' && tableOf(draft.document.logsource) === null)
        throw new RuleProblem(place, `the logs of the rule '${text}' are ${logsourceText(draft.document.logsource)}`);
      const source = this.#sourceOf(draft);
      if (source instanceof RuleProblem)
        throw new RuleProblem(
          place,
          `the rule '${text}' cannot be used: ${source.place.file}:${source.place.line}:${source.place.column}: ${source.message}`,
        );
      return source;
    });
  }

  #readRule({ head, logsource, detection }: SigmaRule, warnings: string[]): RuleSource {
    const table = this.#options.tables.find(({ name }) => name === tableOf(logsource));
    if (table === undefined) throw new RuleProblem(head.place, `its logs are ${logsourceText(logsource)}`);
    const timeframe = entryOf(detection, 'timeframe');
    if (timeframe !== undefined)
      throw new RuleProblem(timeframe.place, 'timeframe is no longer part of Sigma: write a correlation rule');
    const own = detectionCondition(
      detection,
      NO_SEARCHES,
      this.#contextOf(table, (place, message) => void warnings.push(`${place.line}:${place.column}: ${message}`)),
    );
    const filters = this.#drafts.flatMap(({ document }) =>
      document.kind === 'filter' && covers(document.logsource, logsource) && isFor(document, head) ? [document] : [],
    );
    const filtered = filters.map((one) => {
      try {
        return this.#filterCondition(one, table);
      } catch (error) {
        if (!(error instanceof RuleProblem)) throw error;
        throw new RuleProblem(error.place, `its filter '${one.head.title}' cannot be used: ${error.message}`);
      }
    });
    return {
      kind: 'rule',
      names: namesOf(head),
      table,
      condition: filtered.length === 0 ? own : { all: [own, ...filtered] },
    };
  }

  #contextOf(table: Table, warn: SearchContext['warn']): SearchContext {
    const { portable, placeholders, lists } = this.#options;
    return { table, portable, placeholders, lists, warn };
  }

  #filterCondition({ filter }: SigmaFilter, table: Table, warn: SearchContext['warn'] = () => undefined): Condition {
    return detectionCondition(filter, [...NO_SEARCHES, 'rules'], this.#contextOf(table, warn));
  }

  #finishFilter({ warnings }: Draft, filter: SigmaFilter): void {
    const { head, logsource, rules } = filter;
    if (tableOf(logsource) === null && logsource.product !== null && logsource.product !== 'aws') {
      this.#report(head, 'foreign', `its logs are ${logsourceText(logsource)}`, warnings);
      return;
    }
    const unknown = rules?.find(({ text }) => !this.#known.has(text));
    const affected = this.#drafts.filter(
      ({ document }) =>
        document.kind === 'rule' &&
        covers(logsource, document.logsource) &&
        (rules === null || isFor({ rules }, document.head)),
    );
    if (unknown !== undefined) {
      this.#refuse(
        new RuleProblem(unknown.place, `there is no rule '${unknown.text}' among those that were read`),
        head,
      );
    } else if (affected.length === 0) {
      this.#refuse(new RuleProblem(head.place, 'it filters no rule that was read'), head);
    } else {
      try {
        for (const table of this.#tablesOf(affected))
          this.#filterCondition(
            filter,
            table,
            (place, message) => void warnings.push(`${place.line}:${place.column}: ${message}`),
          );
      } catch (error) {
        if (!(error instanceof RuleProblem)) throw error;
        this.#refuse(error, head);
        return;
      }
      this.#report(
        head,
        'part',
        `a filter over ${affected.length} ${affected.length === 1 ? 'rule' : 'rules'}`,
        warnings,
      );
    }
  }

  #tablesOf(drafts: readonly Draft[]): readonly Table[] {
    const names = new Set(
      drafts.map(({ document }) => (document.kind === 'rule' ? tableOf(document.logsource) : null)),
    );
    return this.#options.tables.filter(({ name }) => names.has(name));
  }

  #report(
    { place, id, title }: RuleHead,
    status: RuleStatus,
    reason: string | null,
    warnings: readonly string[],
    detector: string | null = null,
  ): void {
    this.#reports.push({ ...place, id, title, status, reason, detector, warnings });
  }

  #refuse(
    problem: { readonly place: Place; readonly message: string },
    { id, title }: { readonly id: string | null; readonly title: string | null },
    warnings: readonly string[] = [],
  ): void {
    this.#reports.push({
      ...problem.place,
      id,
      title,
      status: 'refused',
      reason: problem.message,
      detector: null,
      warnings,
    });
  }
}

const isFor = ({ rules }: Pick<SigmaFilter, 'rules'>, head: RuleHead): boolean =>
  rules === null || rules.some(({ text }) => namesOf(head).includes(text));

/** The searches of a detection, joined as its condition says; of several conditions any. */
function detectionCondition(detection: MapValue, others: readonly string[], context: SearchContext): Condition {
  const searches = searchesOf(detection, others, context);
  const entry = entryOf(detection, 'condition');
  if (entry === undefined) throw new RuleProblem(detection.place, 'condition is missing');
  const texts = entry.value.kind === 'list' ? entry.value.items : [entry.value];
  const conditions = texts.map((text) => {
    if (text.kind !== 'scalar' || text.value === null) throw new RuleProblem(text.place, 'condition: expected a text');
    return joined(parseExpression(text, [...searches.keys()]), searches);
  });
  if (conditions.length === 0) throw new RuleProblem(entry.place, 'condition is empty');
  return anyOf(conditions);
}

function joined(expression: Expression, searches: ReadonlyMap<string, Condition>): Condition {
  switch (expression.kind) {
    case 'search':
      return searches.get(expression.name) ?? { any: [] };
    case 'not':
      return { not: joined(expression.inner, searches) };
    case 'all':
    case 'any': {
      const parts = expression.parts.map((part) => joined(part, searches));
      return expression.kind === 'any' ? { any: parts } : { all: parts };
    }
  }
}
