/**
 * What lies in the place of an export, for each table: a marker that says whose it is, data files in folders of days, and for each day the list of those that count. A list is
 * replaced as a whole: a reader sees a day as it was before or as it is after, never a row twice.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-athena-query.html reads such lists.
 */
import { AppError } from '../errors.ts';
import type { Table } from '../table.ts';
import type { Target } from '../target.ts';

const MARKER = 'trailhound-export.json';
const LIST = 'symlink.txt';

type Named = Pick<Table, 'name'>;

export const dataPrefix = ({ name }: Named): string => `data/${name}/`;
/** `day`: `YYYY-MM-DD`. */
export const dayPrefix = (table: Named, day: string): string => `${dataPrefix(table)}${day.replaceAll('-', '/')}/`;
/** A day's folder holds nothing but this: its readers take every file there for a list. */
const listKey = ({ name }: Named, day: string): string => `${name}/${day.replaceAll('-', '/')}/${LIST}`;

/** A data file. */
export interface ExportedFile {
  readonly key: string;
  readonly rows: number;
  readonly sizeBytes: number;
}

/** Whose rows they are, and which. */
export interface Owner {
  /** The store, or the database of Athena. */
  readonly store: string;
  /** The condition, as it was written; null for all rows. */
  readonly where: string | null;
}

/** Makes the place of a table the owner's, or finds that it is; `look`: leaves it as it is. Throws `target-foreign`. */
export async function claim(
  target: Target,
  table: Named,
  { store, where }: Owner,
  { look }: { readonly look: boolean },
): Promise<void> {
  const key = `${table.name}/${MARKER}`;
  const own = JSON.stringify({ schema: 1, store, where });
  const found = await target.readText(key);
  if (found === own) return;
  if (found === null && (look || (await target.createText(key, own)))) return;
  const other = whereOf(found ?? (await target.readText(key)) ?? '');
  throw new AppError(
    'target-foreign',
    other === where || other === undefined
      ? `cannot export ${table.name} to ${target.name}: the export of another store lies there`
      : `cannot export ${table.name} to ${target.name}: what lies there was exported ${other === null ? 'without --where' : `--where ${JSON.stringify(other)}`}`,
    { hint: 'Name another prefix: one holds one table of one store under one condition.' },
  );
}

/** The condition that a marker names; undefined where it is no marker of this version. */
function whereOf(marker: string): string | null | undefined {
  try {
    const { where } = JSON.parse(marker) as { readonly where?: unknown };
    return where === null || typeof where === 'string' ? where : undefined;
  } catch {
    return undefined;
  }
}

/** Lists a day's files for its readers. Of those that are `present`, what neither the former list nor this one names is read by nobody, and goes. */
export async function relist(
  target: Target,
  table: Named,
  day: string,
  {
    keys,
    present,
    dryRun = false,
  }: { readonly keys: readonly string[]; readonly present: readonly string[]; readonly dryRun?: boolean },
): Promise<{ readonly isChanged: boolean; readonly removed: number }> {
  const former = await target.readText(listKey(table, day));
  const list = `${keys
    .map((key) => target.addressOf(key))
    .toSorted()
    .join('\n')}\n`;
  const isChanged = former !== list;
  const read = new Set([...(former ?? '').split('\n'), ...list.split('\n')]);
  const unread = present.filter((key) => !read.has(target.addressOf(key)));
  if (!dryRun) {
    if (isChanged) await target.writeText(listKey(table, day), list);
    for (const key of unread) await target.remove(key);
  }
  return { isChanged, removed: unread.length };
}

/** Every file that the lists name is there, whole. */
export async function verify(target: Target, table: Named, files: readonly ExportedFile[]): Promise<void> {
  const exported = new Map<string, number>();
  for await (const { key, sizeBytes } of target.list(dataPrefix(table))) exported.set(key, sizeBytes);
  const wrong = files.find(({ key, sizeBytes }) => exported.get(key) !== sizeBytes);
  if (wrong === undefined) return;
  throw new AppError(
    'target-unwritable',
    `the export of ${table.name} to ${target.name} is not whole: ${wrong.key} has ${exported.get(wrong.key) ?? 'no'} bytes, expected ${wrong.sizeBytes}`,
    { hint: 'Run the same command again, and no other export to this place beside it.' },
  );
}
