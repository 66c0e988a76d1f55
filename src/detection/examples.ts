/** Runs the examples of a detector: streams of raw records through a store, what it finds against what each example expects. */
import type { Backend } from '../backend.ts';
import { type Detector, type Example, parameterValues } from '../detector.ts';
import { CONTEXT_SOURCES, type Enrichment } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import type { Finding, HuntEngine, HuntTask } from '../hunt.ts';
import { DAY_MS } from '../time.ts';
import { mutants } from './condition.ts';
import { type FilledRecord, recordsOf } from './example-records.ts';

/** Runs look back at the streams from so far ahead that nothing is still under way. */
const LOOKING_BACK_MS = 400 * DAY_MS;

export interface ExampleResult {
  readonly example: string;
  /** What differs from the expectation, as sentences; none when it holds. */
  readonly problems: readonly string[];
}

export interface MutantResult {
  /** The predicate that was left out. */
  readonly leaf: string;
  /** Whether some example noticed. */
  readonly noticed: boolean;
}

export interface ExamplesReport {
  readonly examples: readonly ExampleResult[];
  readonly mutants: readonly MutantResult[];
}

/** `load` puts records into a backend of their own; the runner closes it. With `mutate` each predicate of the condition is left out once. */
export async function runExamples(
  detector: Detector,
  {
    engine,
    load,
    mutate,
  }: {
    readonly engine: HuntEngine;
    readonly load: (records: readonly FilledRecord[], enrichment: Enrichment) => Promise<Backend>;
    readonly mutate: boolean;
  },
): Promise<ExamplesReport> {
  const variants = mutate ? variantsOf(detector) : [];
  const noticed = variants.map(() => false);
  const examples: ExampleResult[] = [];
  for (const example of detector.examples) {
    const records = recordsOf(example, detector.table);
    const times = records.map(({ timeMs }) => timeMs).filter((time) => time !== null);
    const window = { fromMs: Math.min(...times), toMs: Math.max(...times) + 1 };
    const parameters = parameterValues(detector, example.parameters ?? {});
    const tasks = [detector, ...variants.map((variant) => variant.detector)].map(
      (one): HuntTask => ({ detector: one, parameters, window }),
    );
    const backend = await load(records, knownIn(example));
    try {
      const results = await engine.run(backend, {
        tasks,
        lists: {},
        columns: [],
        nowMs: window.toMs + LOOKING_BACK_MS,
      });
      const [own, ...others] = results.map(({ findings }) => problemsOf(example, findings));
      examples.push({ example: example.name, problems: own ?? [] });
      for (const [at, problems] of others.entries()) if (problems.length > 0) noticed[at] = true;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      examples.push({ example: example.name, problems: [error.message] });
    } finally {
      await backend.close();
    }
  }
  return { examples, mutants: variants.map(({ leaf }, at) => ({ leaf, noticed: noticed[at] ?? false })) };
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

/** The detector without each of its predicates in turn. */
function variantsOf(detector: Detector): readonly { readonly leaf: string; readonly detector: Detector }[] {
  const { when, sequence } = detector;
  if (when !== undefined)
    return mutants(when).map(({ leaf, condition }) => ({ leaf, detector: { ...detector, when: condition } }));
  if (sequence === undefined) return [];
  return sequence.steps.flatMap((step, at) => {
    const isCounted = 'when' in step && 'atLeast' in step;
    const condition = (isCounted ? step.when : step) as NonNullable<Detector['when']>;
    return mutants(condition).map((mutant) => {
      const changed = isCounted ? { ...step, when: mutant.condition } : mutant.condition;
      return {
        leaf: `step ${at + 1}: ${mutant.leaf}`,
        detector: { ...detector, sequence: { ...sequence, steps: sequence.steps.with(at, changed as typeof step) } },
      };
    });
  });
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
