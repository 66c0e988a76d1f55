/** What stands in a config file: checked, and every mistake named with its line and column. */
import { dirname } from 'node:path';
import { isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { parseBytes } from '../size.ts';
import { durationMs, parseTime } from '../time.ts';

const text = z.string('expected a text').min(1, 'expected a text that is not empty');
const scalar = z
  .union([z.string(), z.number(), z.boolean()], 'expected a text, a number or a boolean')
  .transform(String);
const duration = text.superRefine((value, context) => tell(context, () => durationMs(value)));
const time = text.superRefine((value, context) => tell(context, () => parseTime(value, Date.now())));
const size = z.int('expected a whole number').positive('expected a number above 0');
/** `hunts` and `sinks` are reserved: refused rather than read and not acted upon. */
const reserved = z
  .array(z.unknown(), 'expected a list')
  .max(0, 'not supported by this version of trailhound: remove it, or leave the list empty');

const schema = z.strictObject(
  {
    store: text.describe('Folder of the store.').optional(),
    sources: z
      .array(text, 'expected a list of paths')
      .describe('What `scan` and `ingest` read when no source is named.')
      .default([]),
    backend: z
      .enum(['duckdb', 'athena'], "expected 'duckdb' or 'athena'")
      .describe('Where statements run.')
      .default('duckdb'),
    detectors: z
      .array(text, 'expected a list of paths')
      .describe('Files or folders with detectors of your own.')
      .default([]),
    parameters: z
      .record(z.string(), z.record(z.string(), z.unknown(), 'expected names and values'), 'expected detector ids')
      .describe('Values of detector parameters, by detector id and name.')
      .default({}),
    lists: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]*$/u, 'expected a name of lower-case letters, digits and _'),
        text,
        'expected names and files',
      )
      .describe('Files of addresses, CIDRs, keys, ARNs and user agents; each becomes the table list_<name>.')
      .default({}),
    suppress: z
      .array(
        z.strictObject({
          detector: text.nullable().default(null),
          where: z.record(z.string(), scalar, 'expected columns and values').default({}),
          reason: text,
          owner: text,
          until: time.nullable().default(null),
        }),
        'expected a list',
      )
      .describe('Alerts that a person decided not to be told of.')
      .default([]),
    mask: z
      .array(
        text.regex(/^[\w.-]+$/u, 'expected the name of a header, parameter or member: letters, digits, -, _ and .'),
        'expected a list of names',
      )
      .describe('Further headers, parameters and members whose values are secrets.')
      .default([]),
    redact: z
      .array(text, 'expected a list of columns and paths')
      .describe('Columns that are not stored, as table.column, and members of JSON columns, as table.column.member.')
      .default([]),
    retention: duration.describe('Events older than this are pruned after an ingest, for example 400d.').optional(),
    limits: z
      .strictObject({
        record_bytes: size.describe('A record over this size becomes a reject.').optional(),
        window_bytes: size.describe('Text that a worker holds at most.').optional(),
        max_ratio: size.describe('Inflated size over compressed size at most.').optional(),
        max_file_bytes: size.describe('Inflated size of one log file at most.').optional(),
        workers: size.describe('Worker threads of an ingest.').optional(),
      })
      .default({}),
    aws: z
      .strictObject({
        profile: text.describe("A profile of the AWS CLI's files.").optional(),
        region: text.describe('Region that requests are sent to.').optional(),
        endpoint_url: text.describe('Another server that speaks the language of AWS.').optional(),
        role_arn: text.describe('A role to assume first.').optional(),
        external_id: text.describe('What the trust policy of that role asks for.').optional(),
        request_payer: z
          .boolean('expected true or false')
          .describe('Pay for requests to a bucket of others.')
          .optional(),
      })
      .describe('How AWS is reached; what is left out comes from the environment and the files of the AWS CLI.')
      .default({}),
    athena: z
      .strictObject({
        database: text.describe('Database of the tables and views (default: trailhound).').optional(),
        catalog: text.describe('Data catalog that has it (default: AwsDataCatalog).').optional(),
        workgroup: text.describe('Workgroup that statements run in (default: primary).').optional(),
        output_location: text
          .describe('Where results go, s3://bucket/prefix/, unless the workgroup says it.')
          .optional(),
        max_scan: text
          .superRefine((value, context) => tell(context, () => parseBytes(value, 'max_scan')))
          .describe('Bytes that a run may scan at most, for example 50GB.')
          .optional(),
        lateness: duration.describe('How long after its events a log file may be delivered (default: 2d).').optional(),
      })
      .describe('Where and how statements run on Amazon Athena.')
      .default({}),
    hunts: reserved.optional(),
    sinks: reserved.optional(),
  },
  'expected a mapping',
);

export type ConfigValues = Readonly<z.infer<typeof schema>>;

export type Config = ConfigValues & {
  /** Absolute; null when there is none. */
  readonly file: string | null;
  /** What relative paths in the config start from. */
  readonly dir: string;
  /** `file:line:column` of the value at a path, such as ['suppress', 0, 'reason']. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
};

/** A value's own check, told as a problem of the config at that place. */
function tell(context: z.RefinementCtx, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
}

/** Throws `config-invalid`. */
export function parseConfig(content: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    throw new AppError('config-invalid', `${at(broken.pos[0])}: not valid YAML: ${broken.message}`, {
      hint: 'Indent with spaces, and quote values that hold a colon.',
    });
  }
  const input: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const result = schema.safeParse(input);
  const placeOf = (path: readonly PropertyKey[]): string => at(offsetOf(document.contents, path));
  if (result.success) return { ...result.data, file, dir: dirname(file), placeOf };
  const problems = result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const expected = `expected one of ${knownKeys(issue.path).join(', ')}`;
      return issue.keys.map((key) => ({ path: [...issue.path, key], message: `unknown key: ${expected}` }));
    }
    if (issue.code === 'invalid_key') return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }];
    return [{ path: issue.path, message: valueAt(input, issue.path) === undefined ? 'missing' : issue.message }];
  });
  throw new AppError(
    'config-invalid',
    problems
      .map(({ path, message }) => `${placeOf(path)}: ${path.map(String).join('.') || 'config'}: ${message}`)
      .join('\n'),
    { hint: 'docs/examples/trailhound.yaml shows every key.' },
  );
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
    input,
  );
}

/** The keys that a mapping at this path may have. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let current: z.core.$ZodType = schema;
  for (const part of path) {
    current = unwrap(current);
    if (current instanceof z.ZodObject)
      current = (current.shape as Record<string, z.ZodType>)[String(part)] ?? z.unknown();
    else if (current instanceof z.ZodArray) current = current.element;
  }
  current = unwrap(current);
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function unwrap(type: z.core.$ZodType): z.core.$ZodType {
  let inner = type;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable)
    inner = inner.unwrap();
  return inner;
}

/** Offset of the value at `path`, or of the key itself where that is what is wrong, or of the nearest thing around it. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let offset = root?.range?.[0] ?? 0;
  let node: unknown = root;
  for (const part of path) {
    if (typeof node !== 'object' || node === null || !('items' in node) || !Array.isArray(node.items)) break;
    if (typeof part === 'number') {
      node = node.items[part];
    } else {
      const pair: unknown = node.items.find(
        (item: { key?: unknown }) => isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (typeof pair !== 'object' || pair === null || !('key' in pair) || !('value' in pair)) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    }
    if (typeof part === 'number' && typeof node === 'object' && node !== null && 'range' in node) {
      offset = (node as Node).range?.[0] ?? offset;
    }
  }
  return offset;
}
