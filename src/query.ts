/** What a saved question is: one SELECT in the portable subset, with a header comment that says what it answers and which values it takes. */
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Param } from './backend.ts';
import { AppError } from './errors.ts';
import { parseTime } from './time.ts';

export const PARAMETER_TYPES = ['text', 'integer', 'time'] as const;

export interface QueryParameter {
  readonly name: string;
  /** `time` takes the grammar of --from, and `newest`: just after the newest event of the store. */
  readonly type: (typeof PARAMETER_TYPES)[number];
  /** Null where a value must be given. */
  readonly default: string | null;
  readonly doc: string;
}

export interface Query {
  /** The name of its file, kebab-case. */
  readonly id: string;
  /** The question, as a person asks it. */
  readonly title: string;
  /** What one row is. */
  readonly description: string;
  readonly parameters: readonly QueryParameter[];
  readonly sql: string;
  readonly file: string;
}

const header = z.strictObject({
  title: z.string().min(1),
  description: z
    .string()
    .regex(/^One row per .+[.]$/su, "expected a sentence that starts with 'One row per' and ends with a full stop"),
  parameters: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]*$/u, 'expected a snake_case name'),
      z.strictObject({
        type: z.enum(PARAMETER_TYPES),
        default: z.union([z.string(), z.number()]).transform(String).nullable().default(null),
        doc: z.string().min(1),
      }),
    )
    .default({}),
});

/** Reads a question from the text of its file. The comment lines at its top are YAML. Throws `sql-invalid`, naming the file. */
export function parseQuery(id: string, text: string, file: string): Query {
  const lines = text.split(/\r?\n/u);
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const comment = lines.slice(0, end === -1 ? lines.length : end).map((line) => line.replace(/^-- ?/u, ''));
  const document = parseDocument(comment.join('\n'), { prettyErrors: false });
  const parsed = header.safeParse(document.errors.length > 0 ? null : document.toJS());
  if (!parsed.success) {
    const problem =
      document.errors[0]?.message ??
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw new AppError(
      'sql-invalid',
      `cannot use the saved question ${file}: its header comment is not as expected: ${problem}`,
      {
        hint: 'Start the file with `-- title: …`, `-- description: One row per ….` and `-- parameters:`, each line a comment.',
      },
    );
  }
  const { title, description, parameters } = parsed.data;
  return {
    id,
    title,
    description,
    parameters: Object.entries(parameters).map(([name, parameter]) => ({ name, ...parameter })),
    sql: lines.slice(comment.length).join('\n').trim(),
    file,
  };
}

/** The values of a run: given ones checked, the rest by default. `newestMs` is asked for only where a time is `newest`. Throws `usage-invalid`. */
export async function queryValues(
  query: Query,
  given: Readonly<Record<string, string>>,
  clock: { readonly nowMs: number; newestMs(): Promise<number> },
): Promise<Record<string, Param>> {
  const names = query.parameters.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    throw new AppError('usage-invalid', `the question '${query.id}' has no parameter '${name}'`, {
      hint: names.length > 0 ? `Its parameters: ${names.join(', ')}.` : 'It takes none.',
    });
  }
  const values: Record<string, Param> = {};
  for (const parameter of query.parameters) {
    const text = given[parameter.name] ?? parameter.default;
    if (text === null) {
      throw new AppError('usage-invalid', `the question '${query.id}' needs a value for '${parameter.name}'`, {
        hint: `${parameter.doc} Give it with --param ${parameter.name}=…`,
      });
    }
    values[parameter.name] = await queryValue(parameter, text, clock);
  }
  return values;
}

async function queryValue(
  parameter: QueryParameter,
  text: string,
  clock: { readonly nowMs: number; newestMs(): Promise<number> },
): Promise<Param> {
  switch (parameter.type) {
    case 'text':
      return text;
    case 'integer': {
      const value = Number(text);
      if (/^-?\d+$/u.test(text) && Number.isSafeInteger(value)) return value;
      throw new AppError(
        'usage-invalid',
        `cannot use '${text}' for the parameter '${parameter.name}': expected a whole number`,
      );
    }
    case 'time':
      return new Date(text === 'newest' ? (await clock.newestMs()) + 1 : parseTime(text, clock.nowMs));
  }
}
