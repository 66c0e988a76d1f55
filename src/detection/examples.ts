/** Runs the examples of a detector: streams of raw records through a store, what it finds against what each example expects. */
import type { Backend } from '../backend.ts';
import { type Detector, type Example, parameterValues } from '../detector.ts';
import { CONTEXT_SOURCES, type Enrichment } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import type { Finding, HuntEngine, HuntTask } from '../hunt.ts';
import { DAY_MS } from '../time.ts';
import { type FilledRecord, recordsOf } from './example-records.ts';
import type { Variant } from './mutate.ts';

/** Runs look back at the streams from so far ahead that nothing is still under way. */
const LOOKING_BACK_MS = 400 * DAY_MS;

export interface ExampleResult {
  readonly example: string;
  /** What differs from the expectation, as sentences; none when it holds. */
  readonly problems: readonly string[];
}

export interface MutantResult {
  readonly what: string;
  /** Whether some example noticed; null where no engine takes it. */
  readonly noticed: boolean | null;
}

export interface ExamplesReport {
  readonly examples: readonly ExampleResult[];
  readonly mutants: readonly MutantResult[];
}

/**
 * `load` puts records into a backend of their own; the runner closes it. Each variant is judged by the examples, in the same hunt as the detector itself, until one of
 * them notices.
 */
export async function runExamples(
  detector: Detector,
  {
    engine,
    load,
    variants = [],
  }: {
    readonly engine: HuntEngine;
    readonly load: (records: readonly FilledRecord[], enrichment: Enrichment) => Promise<Backend>;
    readonly variants?: readonly Variant[];
  },
): Promise<ExamplesReport> {
  const noticed = new Map<Variant, boolean | null>(variants.map((variant) => [variant, false]));
  const examples: ExampleResult[] = [];
  for (const example of detector.examples) {
    const records = recordsOf(example, detector.table);
    const times = records.map(({ timeMs }) => timeMs).filter((time) => time !== null);
    const window = { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 };
    const values = parameterValues(detector, example.parameters ?? {});
    const task: HuntTask = { detector, parameters: values, window };
    const request = { lists: {}, columns: [], nowMs: window.toMs + LOOKING_BACK_MS };
    const backend = await load(records, knownIn(example));
    const run = async (tasks: readonly HuntTask[]): Promise<readonly (readonly string[])[]> =>
      (await engine.run(backend, { ...request, tasks })).map(({ findings }) => problemsOf(example, findings));
    try {
      const left = variants.filter((variant) => noticed.get(variant) === false);
      const tasks = left.map(
        (variant): HuntTask => ({
          detector: variant.detector,
          parameters: variant.parametersOf?.(values) ?? values,
          window,
        }),
      );
      let all: readonly (readonly string[] | null)[];
      try {
        all = await run([task, ...tasks]);
      } catch (error) {
        if (!(error instanceof AppError) || tasks.length === 0) throw error;
        all = [...(await run([task])), ...(await oneByOne(tasks, run))];
      }
      const [own, ...others] = all;
      examples.push({ example: example.name, problems: own ?? [] });
      for (const [at, problems] of others.entries()) {
        const variant = left[at];
        if (variant !== undefined) noticed.set(variant, problems === null ? null : problems.length > 0);
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      examples.push({ example: example.name, problems: [error.message] });
    } finally {
      await backend.close();
    }
  }
  return {
    examples,
    mutants: variants.map((variant) => ({ what: variant.what, noticed: noticed.get(variant) ?? null })),
  };
}

/** What an example says is known. */
export function knownIn({ known }: Pick<Example, 'known'>): Enrichment {
  const addresses = new Map(Object.entries(known?.addresses ?? {}));
  const nothing = {
    country: null,
    asn: null,
    as_name: null,
    network: null,
    aws_service: null,
    aws_region: null,
    threat: null,
  };
  return {
    sources: new Set(CONTEXT_SOURCES),
    fingerprint: () => '',
    accounts: new Map(
      Object.entries(known?.accounts ?? {}).map(([id, account]) => [
        id,
        { name: null, ou: null, tags: {}, ...account },
      ]),
    ),
    address: (text) => (addresses.has(text) ? { ...nothing, ...addresses.get(text) } : null),
  };
}

/** Null for those that no engine takes. */
async function oneByOne(
  tasks: readonly HuntTask[],
  run: (tasks: readonly HuntTask[]) => Promise<readonly (readonly string[])[]>,
): Promise<readonly (readonly string[] | null)[]> {
  const results: (readonly string[] | null)[] = [];
  for (const task of tasks) {
    try {
      results.push((await run([task]))[0] ?? null);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      results.push(null);
    }
  }
  return results;
}

function problemsOf(example: Example, findings: readonly Finding[]): readonly string[] {
  const left = [...findings];
  const problems: string[] = [];
  for (const expected of example.alerts) {
    const at = left.findIndex(
      (finding) =>
        Object.entries(expected.subject).every(
          ([key, value]) => finding.subject[key] === (value === null ? null : String(value)),
        ) &&
        (expected.count === undefined || finding.count === expected.count) &&
        (expected.peak === undefined || finding.peak === expected.peak),
    );
    if (at < 0) problems.push(`no alert as expected: ${JSON.stringify(expected)}`);
    else left.splice(at, 1);
  }
  for (const { subject, count, peak, firstSeen } of left)
    problems.push(`an alert that was not expected: ${JSON.stringify({ subject, count, peak, firstSeen })}`);
  return problems;
}
