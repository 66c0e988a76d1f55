/** Detectors written as data: YAML, or SQL with YAML in the comment at its top. Every mistake is named with its line and column. */
import { extname } from 'node:path';
import { SEVERITIES } from '../alert.ts';
import { DETECTOR_TABLES, type Detector, type DetectorSpec, defineDetector, z } from '../detector.ts';
import { AppError } from '../errors.ts';
import { problemsOf } from '../schema-problems.ts';
import { readYaml, type YamlFile } from './yaml.ts';

export interface DataDetector {
  readonly detector: Detector;
  /** `file:line:column` of what stands at a place of the detector, such as `when.any[1].event_name`. */
  readonly placeOf: (at: string) => string;
}

const text = z.string('expected a text');
const texts = z.array(text, 'expected a list of texts');
const value = z.union([z.string(), z.number(), z.boolean(), z.null()], 'expected a text, a number or a boolean');
const parameterRef = z.strictObject({ parameter: text }, 'expected { parameter: <name> }');
const numberOrParameter = z.union([z.number(), parameterRef], 'expected a number or { parameter: <name> }');
const matching = z.looseObject({}, 'expected columns and what they are compared with');

/** Its shape alone: what the words mean is checked where the detector is defined and compiled. */
const shape = z.strictObject(
  {
    id: text,
    version: z.int('expected a whole number').optional(),
    title: text,
    description: text,
    severity: z.enum(SEVERITIES, `expected one of ${SEVERITIES.join(', ')}`),
    severityReason: text,
    table: z.enum(DETECTOR_TABLES, `expected one of ${DETECTOR_TABLES.join(', ')}`),
    reads: texts.optional(),
    attack: z.array(
      z.strictObject({ technique: text, version: z.int('expected a whole number') }, 'expected { technique, version }'),
      'expected a list',
    ),
    tags: texts.optional(),
    when: matching.optional(),
    threshold: z
      .strictObject(
        { atLeast: numberOrParameter, distinct: text.optional(), within: text },
        'expected { atLeast, within }',
      )
      .optional(),
    baseline: z
      .strictObject(
        {
          firstSeen: texts.optional(),
          timesUsual: numberOrParameter.optional(),
          mads: numberOrParameter.optional(),
          by: z.literal('hour-of-week', "expected 'hour-of-week'").optional(),
          atLeast: numberOrParameter.optional(),
          habit: z
            .strictObject({ days: numberOrParameter, values: numberOrParameter }, 'expected { days, values }')
            .optional(),
          over: text,
          per: texts.optional(),
          warmUp: text.optional(),
        },
        'expected { firstSeen, over } or { timesUsual, atLeast, over }',
      )
      .refine(
        (one) => (one.firstSeen === undefined) !== (one.timesUsual === undefined),
        'expected firstSeen or timesUsual',
      )
      .optional(),
    sequence: z
      .strictObject(
        { steps: z.array(matching, 'expected a list of conditions'), by: texts, within: text },
        'expected { steps, by, within }',
      )
      .optional(),
    sql: text.optional(),
    lookback: text.optional(),
    slot: z.enum(['event', '15m', '1h', '6h', '1d'], 'expected one of event, 15m, 1h, 6h, 1d').optional(),
    subject: texts,
    summary: text,
    parameters: z
      .record(
        text,
        z.strictObject(
          { default: z.union([z.number(), z.string(), z.boolean(), texts], 'expected a value'), doc: text },
          'expected { default, doc }',
        ),
        'expected names and { default, doc }',
      )
      .optional(),
    falsePositives: texts,
    blindSpots: texts,
    needsDataEvents: text.optional(),
    response: texts.optional(),
    examples: z.array(
      z.strictObject(
        {
          name: text,
          records: z.array(z.union([z.string(), z.looseObject({})], 'expected a record'), 'expected a list of records'),
          alerts: z.array(
            z.strictObject(
              {
                subject: z.record(text, value, 'expected columns and values'),
                count: z.number().optional(),
                peak: z.number().optional(),
              },
              'expected { subject }',
            ),
            'expected a list of alerts',
          ),
          parameters: z.record(text, z.unknown()).optional(),
        },
        'expected { name, records, alerts }',
      ),
      'expected a list of examples',
    ),
  },
  'expected names and values',
);

/** Throws `detector-invalid`. */
export function dataDetector(content: string, file: string): DataDetector {
  const { yaml, sql } =
    extname(file) === '.sql' ? partsOf(content, file) : { yaml: readYaml(content, file), sql: null };
  const fail = (lines: readonly string[]): AppError =>
    new AppError('detector-invalid', lines.join('\n'), {
      hint: '`trailhound detectors new <id>` writes one that works, to compare with.',
    });
  if (yaml.broken !== null) throw fail([`${yaml.broken.at}: not valid YAML: ${yaml.broken.message}`]);
  const data =
    typeof yaml.value === 'object' && yaml.value !== null && sql !== null ? { ...yaml.value, sql } : yaml.value;
  const problems = problemsOf(shape, data);
  if (problems.length > 0) {
    throw fail(
      problems.map(
        ({ path, message }) => `${yaml.placeOf(path)}: ${path.map(String).join('.') || 'detector'}: ${message}`,
      ),
    );
  }
  const placeOf = (at: string): string => yaml.placeOf(pathOf(at, data));
  const { parameters = {}, ...spec } = data as Omit<DetectorSpec, 'parameters'> & {
    readonly parameters?: Readonly<
      Record<string, { readonly default: number | string | boolean | string[]; readonly doc: string }>
    >;
  };
  const schemas = Object.fromEntries(
    Object.entries(parameters).map(([name, { default: standard, doc }]) => [
      name,
      schemaLike(standard).default(standard).describe(doc),
    ]),
  );
  try {
    return {
      detector: defineDetector({ ...spec, ...(Object.keys(schemas).length > 0 && { parameters: schemas }) }),
      placeOf,
    };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    const problem = cause.message.replace(/^cannot use the detector '[^']*': /u, '');
    // What it says begins with the key that is wrong, or names it.
    const key = Object.keys(data as object).find((name) => new RegExp(`\\b${name}\\b`, 'u').test(problem));
    throw fail([`${yaml.placeOf(key === undefined ? [] : [key])}: ${problem}`]);
  }
}

/** `when.any[1].event_name` as keys and indices; a key may hold dots itself. */
function pathOf(at: string, data: unknown): readonly PropertyKey[] {
  const parts = at.split(/[.[\]]+/u).filter((part) => part !== '');
  const path: PropertyKey[] = [];
  let inner: unknown = data;
  for (let index = 0; index < parts.length; ) {
    if (typeof inner !== 'object' || inner === null) break;
    const here = inner;
    const length = parts
      .slice(index)
      .map((_, more) => parts.length - index - more)
      .find((count) => Object.hasOwn(here, keyOf(parts.slice(index, index + count), here)));
    if (length === undefined) break;
    const key = keyOf(parts.slice(index, index + length), here);
    path.push(Array.isArray(here) ? Number(key) : key);
    inner = Reflect.get(here, key);
    index += length;
  }
  return path;
}

/** Brackets of a key are lost between its parts. */
function keyOf(parts: readonly string[], data: object): string {
  const plain = parts.join('.');
  return Object.keys(data).find((key) => key.replaceAll('[]', '') === plain) ?? plain;
}

/** The comment at the top is the metadata in YAML, the rest is the statement. */
function partsOf(content: string, file: string): { readonly yaml: YamlFile; readonly sql: string } {
  const lines = content.split(/\r?\n/u);
  const end = lines.findIndex((line) => !line.startsWith('--'));
  if (end < 1) {
    throw new AppError(
      'detector-invalid',
      `${file}:1:1: expected a comment with its metadata at the top, and a statement after it`,
    );
  }
  const prefix = '-- ';
  const header = lines.slice(0, end).map((line) => line.replace(/^-- ?/u, ''));
  return {
    yaml: readYaml(header.join('\n'), file, { columns: prefix.length }),
    sql: lines.slice(end).join('\n').trim(),
  };
}

function schemaLike(standard: number | string | boolean | string[]): z.ZodType {
  if (typeof standard === 'number') return z.number();
  if (typeof standard === 'boolean') return z.boolean();
  return typeof standard === 'string' ? z.string() : z.array(z.string());
}
