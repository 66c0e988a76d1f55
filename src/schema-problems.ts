/** What a schema says against a value, each problem with its path, in the words of the config. */
import { z } from 'zod';
import { AppError } from './errors.ts';

export interface Problem {
  readonly path: PropertyKey[];
  /** `expected …`, `missing`, or `unknown key: expected one of …`. Never the value, which may be a secret in the wrong place. */
  readonly message: string;
}

export function problemsOf(schema: z.ZodType, input: unknown): Problem[] {
  const result = schema.safeParse(input);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const expected = `expected one of ${knownKeys(schema, issue.path).join(', ')}`;
      return issue.keys.map((key) => ({ path: [...issue.path, key], message: `unknown key: ${expected}` }));
    }
    if (issue.code === 'invalid_key') return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }];
    const isMissing = issue.code !== 'custom' && valueAt(input, issue.path) === undefined;
    return [{ path: issue.path, message: isMissing ? 'missing' : issue.message }];
  });
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined),
    input,
  );
}

/** The keys that a mapping at this path may have. */
function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let current = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodObject)
      current = unwrap((current.shape as Record<string, z.ZodType>)[String(part)] ?? z.unknown());
    else if (current instanceof z.ZodArray) current = unwrap(current.element);
  }
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function unwrap(type: z.core.$ZodType): z.core.$ZodType {
  let inner = type;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable)
    inner = inner.unwrap();
  return inner;
}

/** What `read` gives, or its AppError as a problem of the value. */
export function checked<T>(context: z.RefinementCtx, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return undefined;
  }
}
