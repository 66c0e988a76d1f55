/** The accounts of an organization as a file has them: names, organizational units and tags by account id. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { AccountContext } from '../enrichment.ts';
import { AppError } from '../errors.ts';

const account = z.strictObject({
  id: z
    .union([z.string(), z.number()])
    .transform((id) => String(id).padStart(12, '0'))
    .pipe(z.string().regex(/^\d{12}$/u, 'expected the 12 digits of an account id')),
  name: z.string().min(1).nullable().default(null),
  ou: z.string().min(1).nullable().default(null),
  tags: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});

const file = z.strictObject({ accounts: z.array(account) });

/** By id. Throws `config-invalid`. */
export function readAccounts(path: string): ReadonlyMap<string, AccountContext> {
  const invalid = (why: string, cause?: unknown): AppError =>
    new AppError('config-invalid', `cannot read the accounts ${path}: ${why}`, {
      hint: 'Expected `accounts:` with id, name, ou and tags of each; `trailhound accounts import` writes such a file.',
      cause,
    });
  let parsed: z.infer<typeof file>;
  try {
    parsed = file.parse(parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    if (!(cause instanceof z.ZodError)) throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
    const [issue] = cause.issues;
    throw invalid(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'it has another form'}`, cause);
  }
  const accounts = new Map<string, AccountContext>();
  for (const { id, ...context } of parsed.accounts) {
    if (accounts.has(id)) throw invalid(`the account ${id} stands there twice`);
    accounts.set(id, context);
  }
  return accounts;
}

/** The same file, in the order of the ids. */
export function accountsText(accounts: ReadonlyMap<string, AccountContext>): string {
  const sorted = [...accounts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return stringify(
    {
      accounts: sorted.map(([id, { name, ou, tags }]) => ({
        id,
        name,
        ou,
        ...(Object.keys(tags).length > 0 && { tags }),
      })),
    },
    { lineWidth: 0 },
  );
}
