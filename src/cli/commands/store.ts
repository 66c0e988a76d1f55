/** `trailhound store`: the folder itself: what lies in it, whether it is whole, and making it smaller. */
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { formatBytes } from '../../size.ts';
import { finish, group, type Host, type Run } from '../command.ts';
import { pruneOlder } from '../ingest.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';
import { exportCommand } from './export.ts';

interface InfoOptions {
  readonly files?: boolean;
}

interface PruneOptions {
  readonly olderThan?: string;
}

export function storeCommand(host: Host): Command {
  const info = new Command('info')
    .description('tables, days and sizes; with --files the exact list of live segments for other programs')
    .option('--files', 'list the live Parquet files');
  const compact = new Command('compact').description(
    'merge the small segments of each day, so that queries open fewer files',
  );
  const check = new Command('check').description('read every segment and compare it with the catalog');
  const prune = new Command('prune')
    .description('take old events out of the store; the ledger stays, so that they are not ingested again')
    .option(
      '--older-than <span>',
      'events of days that lie wholly before, for example 400d (default: retention in the config)',
    );
  return group(
    new Command('store')
      .description('look into the store, check it, and make it smaller')
      .addCommand(
        finish<InfoOptions>(
          info,
          host,
          ['trailhound store info', 'trailhound store info --files --output jsonl'],
          printInfo,
        ),
      )
      .addCommand(finish(compact, host, ['trailhound store compact'], compactStore))
      .addCommand(finish(check, host, ['trailhound store check'], checkStore))
      .addCommand(exportCommand(host))
      .addCommand(finish<PruneOptions>(prune, host, ['trailhound store prune --older-than 400d'], pruneStore)),
    [
      'trailhound store info',
      'trailhound store compact',
      'trailhound store check',
      'trailhound store export s3://example-security/trailhound',
    ],
  );
}

async function printInfo({ storeDir, options, output, terminal }: Run<InfoOptions>): Promise<0> {
  const { openStore, TABLES } = await import('../wire.ts');
  const store = await openStore(storeDir);
  try {
    const segments = (await Promise.all(TABLES.map((table) => store.segments(table)))).flat();
    const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
    if (options.files) {
      const columns = [
        { name: 'path', type: 'VARCHAR' },
        { name: 'table', type: 'VARCHAR' },
        { name: 'event_date', type: 'VARCHAR' },
        { name: 'rows', type: 'BIGINT' },
        { name: 'bytes', type: 'BIGINT' },
        { name: 'first', type: 'VARCHAR' },
        { name: 'last', type: 'VARCHAR' },
      ];
      const rows = segments.map((segment) => [
        segment.path,
        segment.table,
        segment.eventDate,
        segment.rows,
        segment.sizeBytes,
        iso(segment.minTimeMs),
        iso(segment.maxTimeMs),
      ]);
      await printRows(output, columns, rows, terminal);
    } else {
      const columns = [
        { name: 'table', type: 'VARCHAR' },
        { name: 'event_date', type: 'VARCHAR' },
        { name: 'segments', type: 'BIGINT' },
        { name: 'rows', type: 'BIGINT' },
        { name: 'bytes', type: 'BIGINT' },
      ];
      const days = new Map<
        string,
        { table: string; eventDate: string; segments: number; rows: number; bytes: number }
      >();
      for (const { table, eventDate, rows, sizeBytes } of segments) {
        const key = `${table} ${eventDate}`;
        const day = days.get(key) ?? { table, eventDate, segments: 0, rows: 0, bytes: 0 };
        days.set(key, { ...day, segments: day.segments + 1, rows: day.rows + rows, bytes: day.bytes + sizeBytes });
      }
      const rows = [...days.values()].map((day) => [day.table, day.eventDate, day.segments, day.rows, day.bytes]);
      await printRows(output, columns, rows, terminal);
    }
    const bytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
    terminal.info(`${plural(segments.length, 'segment')}, ${formatBytes(bytes)}, in ${store.dir}`);
  } finally {
    await store.close();
  }
  return 0;
}

async function compactStore({ storeDir, terminal, signal }: Run<object>): Promise<0> {
  const { openStore, TABLES } = await import('../wire.ts');
  const store = await openStore(storeDir);
  try {
    for (const table of TABLES) {
      const writer = await store.openWriter([table]);
      try {
        const { replaced, written } = await writer.compact({ full: true, signal });
        terminal.info(
          replaced === 0
            ? `${table.name}: nothing to merge`
            : `${table.name}: ${plural(replaced, 'segment')} became ${formatCount(written)}`,
        );
      } finally {
        await writer.close();
      }
    }
  } finally {
    await store.close();
  }
  return 0;
}

async function checkStore({ storeDir, terminal, output }: Run<object>): Promise<0> {
  const { openStore, TABLES } = await import('../wire.ts');
  const store = await openStore(storeDir);
  try {
    const { segments, rows, problems } = await store.check(TABLES);
    if (problems.length > 0 || output !== 'table') {
      await printRows(
        output,
        [{ name: 'problem', type: 'VARCHAR' }],
        problems.map((problem) => [problem]),
        terminal,
      );
    }
    if (problems.length > 0) {
      throw new AppError('store-damaged', `the store ${store.dir} has ${plural(problems.length, 'problem')}`, {
        hint: 'Ingest the archive into a new store with --store <dir>; the log files themselves are untouched.',
      });
    }
    terminal.info(
      `${plural(segments, 'segment')} with ${plural(rows, 'row')}: all of them are there, readable, and agree with the catalog`,
    );
  } finally {
    await store.close();
  }
  return 0;
}

async function pruneStore(run: Run<PruneOptions>): Promise<0> {
  const span = run.options.olderThan ?? run.config.retention;
  if (span === undefined) {
    throw new AppError('usage-invalid', 'cannot prune without an age', {
      hint: 'Give --older-than 400d, or set retention in trailhound.yaml.',
    });
  }
  const { openStore } = await import('../wire.ts');
  const store = await openStore(run.storeDir);
  try {
    if ((await pruneOlder(store, span, run)) === 0) run.terminal.info(`nothing is older than ${span}`);
  } finally {
    await store.close();
  }
  return 0;
}
