/** The reference pages that are one file each: tables, errors, commands, saved questions. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/main.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { LAKE, TABLES } from '../../src/cli/wire.ts';
import { contextColumns } from '../../src/enrichment.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { parseQuery } from '../../src/query.ts';
import { CATALOG_TABLES } from '../../src/store/catalog-tables.ts';
import { type Column, derivedColumns, PARTITION_COLUMN, rawColumns } from '../../src/table.ts';
import { code, fence, GENERATED, table } from './markdown.ts';

/** Columns of help texts. */
const HELP_WIDTH = 100;

function columnRow(column: Column): string[] {
  const type = column.json === true ? 'JSON text' : column.type;
  const origin = column.raw === undefined ? '' : code(column.raw);
  const name = `${code(column.name)}${column.athena === null ? ' \\*' : ''}`;
  return [name, type, column.aws === undefined ? origin : `[${origin}](${column.aws})`, column.since ?? '', column.doc];
}

export function tablesPage(): string {
  const events = TABLES.map(
    (one) => `## ${code(one.name)}

${one.doc}

It is partitioned by \`${PARTITION_COLUMN}\`, the UTC date of the event. The path is that of the field in the record and leads to AWS's page on it; *since* is the first eventVersion that has it.

${table(['column', 'type', 'field', 'since', 'meaning'], rawColumns(one).map(columnRow))}

Derived from these, the same on every engine:

${table(
  ['column', 'type', 'meaning'],
  derivedColumns(one).map(({ name, type, doc }) => [code(name), type, doc]),
)}

Known beside the logs, where the config names it ([enrichment.md](../enrichment.md)); \`*\` leaves these out:

${table(
  ['column', 'type', 'of', 'meaning'],
  contextColumns(one).map(({ name, type, doc, context }) => [code(name), type, code(context.of), doc]),
)}`,
  );
  const catalog = CATALOG_TABLES.map(
    ({ name, doc, columns }) => `### ${code(name)}

${doc}

${table(
  ['column', 'type', 'meaning'],
  columns.map((column) => [code(column.name), column.type, column.doc]),
)}`,
  );
  return `# Tables

${GENERATED}

What \`trailhound sql\`, saved questions and detectors can read. Times are UTC. A column marked \\* exists only in the local store: SQL that claims to be portable may not use it.

${events.join('\n\n')}

## ${code(LAKE.name)}

${LAKE.doc} See [lake.md](../lake.md).

${table(
  ['column', 'type', 'meaning'],
  LAKE.columns.map((column) => [code(column.name), code(column.type), column.doc]),
)}

## What the store knows of itself

${catalog.join('\n\n')}
`;
}

export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([name, { exit, meaning }]) => [code(name), String(exit), meaning]);
  return `# Errors and exit statuses

${GENERATED}

Codes are stable; the texts that go with them may change.

${table(['code', 'exit status', 'meaning'], rows)}

| exit status | meaning |
| --- | --- |
| 0 | Done. |
| 1 | Done, and there are alerts at or above \`--fail-on\`. |
| 2 | The command line, the config or a name in it cannot be used. |
| 3 | Incomplete: something could not be read or written now and may be later. What, and what to do, is said. |
| 4 | A bug in trailhound. |
| 130 | Interrupted; nothing is lost, the next run continues. |
`;
}

/** Everything that \`--help\` prints, the examples after it included. */
function helpText(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => HELP_WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}

export async function commandsPage(): Promise<string> {
  const program = await buildProgram({
    terminal: new Terminal(),
    signal: new AbortController().signal,
    serves: false,
    exit: () => undefined,
  });
  const sections: string[] = [];
  const visit = (command: Command, path: string, depth: number): void => {
    sections.push(`${'#'.repeat(depth)} ${path}\n\n${fence('text', helpText(command))}`);
    for (const child of command.commands) {
      if (child.name() !== 'help') visit(child, `${path} ${child.name()}`, Math.min(depth + 1, 4));
    }
  };
  visit(program, program.name(), 2);
  return `# Commands

${GENERATED}

${sections.join('\n\n')}
`;
}

export function queriesPage(): string {
  const folder = new URL('../../queries/', import.meta.url);
  const sections = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
    .map((name) => {
      const query = parseQuery(basename(name, '.sql'), readFileSync(new URL(name, folder), 'utf8'), `queries/${name}`);
      const parameters = query.parameters.map((parameter) => [
        code(parameter.name),
        parameter.type,
        parameter.default === null ? 'must be given' : code(parameter.default === '' ? "''" : parameter.default),
        parameter.doc,
      ]);
      return `## ${query.id}

${query.title} ${query.description}

${table(['parameter', 'type', 'default', 'meaning'], parameters)}

${fence('sql', query.sql.trim())}`;
    });
  return `# Saved questions

${GENERATED}

Run one by \`trailhound query run <id> --param <name>=<value>\`. Your own go into \`queries/\` beside your config.

${sections.join('\n\n')}
`;
}
