/** What has to be done in Athena so that the logical tables are there: compared with what is, step by step. */
import { AppError } from '../../errors.ts';
import type { Table } from '../../table.ts';
import {
  type CatalogEntry,
  type LogRoot,
  markIn,
  quoted,
  rawDifferences,
  rawName,
  rawTableSql,
  rootOf,
  viewsOf,
} from './ddl.ts';

export interface SetupStep {
  /** `cloudtrail_raw`, or the name of a view or of the database. */
  readonly name: string;
  readonly state: 'missing' | 'differs' | 'same';
  /** In what it differs, a line each. */
  readonly differences: readonly string[];
  /** Statements to run, in order; none for what is the same. */
  readonly statements: readonly string[];
}

export interface SetupState {
  /** Null where there is no such database yet. */
  readonly entries: readonly CatalogEntry[] | null;
  /** The text of `SHOW CREATE VIEW`, by the view's name. */
  readonly views: ReadonlyMap<string, string>;
}

const NOTHING: SetupState = { entries: null, views: new Map() };

/**
 * The steps for these roots, in order. Raw tables are dropped and made anew where they differ: they are external, so no log file is touched. Roots that were set up
 * before and are not named now stay. Throws `athena-conflict` where a name is taken by a table or view that trailhound did not make.
 */
export function planSetup(
  database: string,
  tables: readonly Table[],
  roots: readonly LogRoot[],
  state: SetupState = NOTHING,
): readonly SetupStep[] {
  const entries = state.entries ?? [];
  const steps: SetupStep[] =
    state.entries === null
      ? [
          {
            name: database,
            state: 'missing',
            differences: [],
            statements: [`CREATE DATABASE IF NOT EXISTS \`${database}\``],
          },
        ]
      : [];
  for (const table of tables) {
    const raws = rawsOf(table.name, roots, entries);
    if (raws.length === 0) continue;
    for (const { name, root, isNamed } of raws)
      if (isNamed) steps.push(rawStep(database, name, { root, table }, entries));
    for (const { name, mark, sql } of viewsOf(database, table, raws)) {
      const entry = entries.find((one) => one.name === name);
      const found = markIn(state.views.get(name) ?? '');
      if (entry !== undefined && found === null) throw conflict(database, name);
      steps.push(
        entry === undefined
          ? { name, state: 'missing', differences: [], statements: [sql] }
          : found === mark
            ? { name, state: 'same', differences: [], statements: [] }
            : {
                name,
                state: 'differs',
                differences: [`- made from '${found}'`, `+ made from '${mark}'`],
                statements: [sql],
              },
      );
    }
  }
  return steps;
}

/** The raw tables of a logical one: known folders keep their name, others get the next free number. */
function rawsOf(
  table: string,
  roots: readonly LogRoot[],
  entries: readonly CatalogEntry[],
): readonly { readonly name: string; readonly root: LogRoot; readonly isNamed: boolean }[] {
  const known = entries.flatMap((entry) => {
    const root = rootOf(entry);
    return root?.table === table ? [{ name: entry.name, root, isNamed: false }] : [];
  });
  const raws: { name: string; root: LogRoot; isNamed: boolean }[] = [...known];
  for (const root of roots.filter((one) => one.table === table)) {
    const before = raws.find((one) => one.root.location === root.location);
    if (before !== undefined) Object.assign(before, { root, isNamed: true });
    else {
      let number = 1;
      while (raws.some(({ name }) => name === rawName(table, number))) number += 1;
      raws.push({ name: rawName(table, number), root, isNamed: true });
    }
  }
  return raws.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function rawStep(
  database: string,
  name: string,
  { root, table }: { readonly root: LogRoot; readonly table: Table },
  entries: readonly CatalogEntry[],
): SetupStep {
  const sql = rawTableSql(database, name, root, table);
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined) return { name, state: 'missing', differences: [], statements: [sql] };
  if (rootOf(entry) === null) throw conflict(database, name);
  const differences = rawDifferences(entry, root, table);
  if (differences.length === 0) return { name, state: 'same', differences, statements: [] };
  return { name, state: 'differs', differences, statements: [`DROP TABLE \`${database}\`.\`${name}\``, sql] };
}

const conflict = (database: string, name: string): AppError =>
  new AppError(
    'athena-conflict',
    `cannot set up ${quoted(database)}.${quoted(name)}: something that trailhound did not make has this name`,
    {
      hint: 'Name another --database, or remove it yourself.',
    },
  );

/** A logical table that is set up. */
export interface DeployedTable {
  readonly table: Table;
  readonly roots: readonly LogRoot[];
}

/** What the catalog says is set up. */
export function deployedTables(tables: readonly Table[], entries: readonly CatalogEntry[]): readonly DeployedTable[] {
  return tables.flatMap((table) => {
    const roots = entries.map(rootOf).filter((root) => root?.table === table.name) as readonly LogRoot[];
    return roots.length > 0 && entries.some(({ name, isView }) => isView && name === table.name)
      ? [{ table, roots }]
      : [];
  });
}
