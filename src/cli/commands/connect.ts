/** `trailhound connect`: the same tables in plain DuckDB, without trailhound. */
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import type { Segment } from '../../store.ts';
import { type Column, PARTITION_COLUMN, type Table } from '../../table.ts';
import { finish, type Host } from '../command.ts';
import { plural } from '../output/text.ts';

export function connectCommand(host: Host): Command {
  const command = new Command('connect').description(
    'print an init file for plain DuckDB: a view for each table over exactly the segments that are live now',
  );
  return finish(
    command,
    host,
    [
      'trailhound connect > trailhound.sql',
      'duckdb -init trailhound.sql',
      'trailhound connect --store /cases/17/.trailhound > case17.sql',
    ],
    async (run) => {
      if (run.output !== 'table') {
        throw new AppError('usage-invalid', `cannot print an init file as ${run.output}: it is SQL`, {
          hint: 'For a list of files in another form use `trailhound store info --files --output jsonl`.',
        });
      }
      const { openStore, TABLES } = await import('../wire.ts');
      const store = await openStore(run.storeDir);
      try {
        let count = 0;
        const views: string[] = [];
        for (const table of TABLES) {
          const segments = await store.segments(table);
          count += segments.length;
          views.push(viewStatement(table, segments));
        }
        await run.terminal.out(
          `-- ${plural(count, 'segment')} of a trailhound store. Compaction replaces segments: print this again when a file is missing.\n${views.join('')}`,
        );
      } finally {
        await store.close();
      }
      return 0;
    },
  );
}

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Exact files, no glob: one that is just being replaced would be seen twice. The date comes from the name of the folder. */
function viewStatement(table: Table, segments: readonly Segment[]): string {
  if (segments.length === 0) {
    const nothing = [...table.columns, { name: PARTITION_COLUMN, type: 'DATE' } as const].map(
      ({ name, type }: Pick<Column, 'name'> & { readonly type: string }) => `NULL::${type} AS "${name}"`,
    );
    return `CREATE OR REPLACE VIEW ${table.name} AS SELECT ${nothing.join(', ')} WHERE false;\n`;
  }
  const files = segments.map(({ path }) => `  ${quote(path)}`).join(',\n');
  return `CREATE OR REPLACE VIEW ${table.name} AS SELECT * FROM read_parquet([\n${files}\n], hive_partitioning = true, union_by_name = true);\n`;
}
