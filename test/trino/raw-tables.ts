/** AWS's log files as raw tables on Trino, as far as its SerDes go: JSON by OpenX's, one record a line, and access logs by Hive's for regular expressions. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RawType, rawTableOf } from '../../src/backends/athena/raw.ts';
import { viewSql } from '../../src/backends/athena/views.ts';
import type { ExampleRecord } from '../../src/detector.ts';
import type { Table } from '../../src/table.ts';
import type { TrinoBackend } from './client.ts';

/** A type of Hive as Trino spells it. */
export function trinoType(type: RawType): string {
  if (type === 'string') return 'varchar';
  if (type === 'int') return 'integer';
  if (typeof type === 'string') return type;
  if ('array' in type) return `array(${trinoType(type.array)})`;
  if ('map' in type) return `map(varchar, ${trinoType(type.map)})`;
  return `row(${Object.entries(type.struct)
    .map(([name, member]) => `"${name}" ${trinoType(member)}`)
    .join(', ')})`;
}

/** Hive's DDL doubles backslashes in a text. */
const regexOf = (storage: string): string | null => {
  const [, escaped] = /'input.regex' = '(.*)'\)/u.exec(storage) ?? [];
  return escaped === undefined ? null : escaped.replaceAll('\\\\', '\\');
};

/** Records as files of a raw table, delivered on `day` (`yyyy/MM/dd`); the view over it as a relation. */
export async function createRawTable(
  trino: TrinoBackend,
  {
    schema,
    dir,
    table,
    records,
    day,
  }: {
    readonly schema: string;
    readonly dir: string;
    readonly table: Table;
    readonly records: readonly ExampleRecord[];
    readonly day: string;
  },
): Promise<string> {
  const { columns, storage } = rawTableOf(table.name);
  const folder = join(dir, 'raw', table.name);
  mkdirSync(folder, { recursive: true });
  const lines = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)));
  writeFileSync(join(folder, 'records.txt'), lines.map((line) => `${line}\n`).join(''));
  const regex = regexOf(storage);
  const properties = [
    `external_location = 'local://${folder}'`,
    ...(regex === null ? ["format = 'OPENX_JSON'"] : ["format = 'REGEX'", `regex = '${regex.replaceAll("'", "''")}'`]),
  ];
  const fields = Object.entries(columns).map(([name, type]) => `"${name}" ${trinoType(type)}`);
  const name = `hive.${schema}.raw_${table.name}`;
  await trino.run(`CREATE TABLE ${name} (${fields.join(', ')}) WITH (${properties.join(', ')})`);
  return `(${viewSql(table, { raw: name, day: `'${day}'` })})`;
}
