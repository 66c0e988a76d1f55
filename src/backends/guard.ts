/** The gate in front of a person's own SQL: exactly one SELECT, over tables that were allowed by name, without functions that reach out of the data. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { AppError } from '../errors.ts';
import { tokensOf } from './lexer.ts';

/** Table functions that make rows from their arguments alone. */
const TABLE_FUNCTIONS = new Set([
  'unnest',
  'range',
  'generate_series',
  'generate_subscripts',
  'json_each',
  'json_tree',
]);

/** Functions that show settings and environment, write, keep state, or run SQL from text. Files and networks are shut by the engine's own settings besides. */
const REFUSED_FUNCTIONS =
  /^(getenv|current_setting|set_config|getvariable|nextval|currval|setseed|write_log|parse_duckdb_log_message|json_serialize_plan|json_execute_serialized_sql|query|query_table|which_secret|glob|sniff_csv|(read|duckdb|pragma|pg|parquet|create|add|sqlite|force)_.*|.*_secret|.*checkpoint)$/u;

const EXPLAIN = /^explain$/iu;
const ANALYZE = /^analyze$/iu;

export interface CheckedSelect {
  /** The SELECT without `EXPLAIN`. */
  readonly select: string;
  /** Put in front of the SELECT to run it: empty, `EXPLAIN ` or `EXPLAIN ANALYZE `. */
  readonly prefix: string;
  /** Lower-case names of the allowed tables that it reads. */
  readonly tables: ReadonlySet<string>;
}

const refuse = (what: string, hint?: string): AppError =>
  new AppError('sql-invalid', `cannot run the statement: ${what}`, {
    hint: hint ?? 'Expected one SELECT over the tables of trailhound; `trailhound sql --help` lists them.',
  });

/** Checks a statement and takes an EXPLAIN off it. `allowedTables` are lower-case names. Throws `sql-invalid`, naming what was refused. */
export async function checkSelect(
  connection: DuckDBConnection,
  sql: string,
  allowedTables: ReadonlySet<string>,
): Promise<CheckedSelect> {
  // A C string ends there: what runs would be shorter than what was checked.
  if (sql.includes('\0')) throw refuse('it holds a NUL character');
  const { prefix, select } = takeExplain(sql);
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [select]);
  const text = String(reader.getRows()[0]?.[0]);
  const tree = parsed(text);
  if (tree === null) throw refuse('it holds a number that no DOUBLE can hold', 'Write it as text, and CAST it.');
  if (!isNode(tree)) throw refuse('it could not be read');
  if (tree['error'] === true) {
    const message = String(tree['error_message']);
    throw refuse(tree['error_type'] === 'parser' ? message : 'it is not a SELECT');
  }
  const statements = Array.isArray(tree['statements']) ? tree['statements'] : [];
  if (statements.length !== 1) throw refuse(`it holds ${statements.length} statements, expected one`);
  const tables = new Set<string>();
  visit(statements[0], new Set(), { allowed: allowedTables, tables });
  return { select, prefix, tables };
}

/** Null for what is no JSON: DuckDB writes a literal such as `1e400` as a bare `Infinity`. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** `EXPLAIN` does not serialise, and `EXPLAIN ANALYZE COPY …` would write: it is taken off here and put before the SELECT that was checked. */
function takeExplain(sql: string): { readonly prefix: string; readonly select: string } {
  const tokens = tokensOf(sql);
  const solid = tokens.flatMap((token, at) => (token.kind === 'comment' || /^\s+$/u.test(token.text) ? [] : [at]));
  const word = (index: number): string => tokens[solid[index] ?? -1]?.text ?? '';
  if (!EXPLAIN.test(word(0))) return { prefix: '', select: sql };
  const analyze = ANALYZE.test(word(1));
  const rest = tokens.slice((solid[analyze ? 1 : 0] ?? 0) + 1).map((token) => token.text);
  return { prefix: analyze ? 'EXPLAIN ANALYZE ' : 'EXPLAIN ', select: rest.join('') };
}

type Node = Readonly<Record<string, unknown>>;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);

interface Scope {
  readonly allowed: ReadonlySet<string>;
  readonly tables: Set<string>;
}

/** Walks DuckDB's own tree; `ctes` are the names that common table expressions give at this place. */
function visit(value: unknown, ctes: ReadonlySet<string>, scope: Scope): void {
  if (Array.isArray(value)) for (const item of value) visit(item, ctes, scope);
  if (!isNode(value)) return;
  let visible = ctes;
  const ownCtes = isNode(value['cte_map']) && Array.isArray(value['cte_map']['map']) ? value['cte_map']['map'] : [];
  for (const cte of ownCtes) {
    // A name is visible after its own query: inside it, it still means what it meant before.
    if (!isNode(cte)) continue;
    visit(cte['value'], visible, scope);
    visible = new Set([...visible, String(cte['key']).toLowerCase()]);
  }
  if (value['type'] === 'RECURSIVE_CTE_NODE') visible = new Set([...visible, String(value['cte_name']).toLowerCase()]);
  checkNode(value, visible, scope);
  for (const [key, child] of Object.entries(value)) if (key !== 'cte_map') visit(child, visible, scope);
}

function checkNode(node: Node, ctes: ReadonlySet<string>, { allowed, tables }: Scope): void {
  const named = node['function_name'] ?? node['table_name'];
  const name = typeof named === 'string' ? named.toLowerCase() : '';
  switch (node['type']) {
    case 'BASE_TABLE': {
      const qualified = [node['catalog_name'], node['schema_name']].filter((part) => part !== undefined && part !== '');
      if (qualified.length === 0 && ctes.has(name)) return;
      const ours = qualified.every((part) => /^(main|memory)$/iu.test(String(part)));
      if (!ours || !allowed.has(name))
        throw refuse(
          `there is no table '${[...qualified, node['table_name']].join('.')}'`,
          `Tables: ${[...allowed].toSorted().join(', ')}.`,
        );
      tables.add(name);
      return;
    }
    case 'TABLE_FUNCTION': {
      const called = isNode(node['function']) ? String(node['function']['function_name']) : '';
      if (!TABLE_FUNCTIONS.has(called.toLowerCase()))
        throw refuse(`the table function ${called}() is not allowed`, `Allowed: ${[...TABLE_FUNCTIONS].join(', ')}.`);
      return;
    }
    case 'SHOW_REF':
      throw refuse(
        'SHOW, DESCRIBE and SUMMARIZE are not allowed',
        '`trailhound sql --help` lists the tables, docs/reference/tables.md their columns.',
      );
    case 'FUNCTION':
    case 'WINDOW_AGGREGATE':
      if (REFUSED_FUNCTIONS.test(name)) throw refuse(`the function ${name}() is not allowed`);
      return;
    default:
  }
}
