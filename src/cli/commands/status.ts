/** `trailhound status`: what the store holds, and the proof that nothing was lost. */
import { Command } from 'commander';
import { formatBytes } from '../../size.ts';
import type { RejectRow, StoreStatus } from '../../store.ts';
import { finish, type Host, type Run, wholeNumber, withStore } from '../command.ts';
import { json, printable } from '../output/printable.ts';
import { printRows } from '../output/rows.ts';
import { formatCount } from '../output/text.ts';

interface Options {
  readonly rejects?: boolean;
  readonly limit: number;
}

const REJECTS_SHOWN = 100;
/** Enough of a rejected record to recognise it in a table; JSON output has all that was kept. */
const EXCERPT_CHARACTERS = 80;

export function statusCommand(host: Host): Command {
  const command = new Command('status')
    .description('what the store holds, and whether its sums agree')
    .option('--rejects', 'list the records that could not be decoded')
    .option('--limit <n>', 'rejects to list at most', wholeNumber, REJECTS_SHOWN);
  return finish<Options>(
    command,
    host,
    ['trailhound status', 'trailhound status --output json', 'trailhound status --rejects --output jsonl'],
    async (run) => {
      await withStore(run, async (store) => {
        if (run.options.rejects) await printRejects(run, await store.rejects({ limit: run.options.limit }));
        else await printStatus(run, await store.status());
      });
      return 0;
    },
  );
}

async function printStatus({ output, terminal }: Run<Options>, status: StoreStatus): Promise<void> {
  if (output === 'json' || output === 'jsonl') {
    await terminal.out(`${json(status, output === 'json' ? 2 : undefined)}\n`);
    return;
  }
  const { tables, files, records } = status;
  if (output !== 'table') {
    const columns = [
      { name: 'name', type: 'VARCHAR' },
      { name: 'value', type: 'VARCHAR' },
    ];
    const sums = (prefix: string, values: object) =>
      Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]);
    const rows = [
      ...tables.flatMap(({ name, ...values }) => sums(`tables.${name}`, values)),
      ...sums('files', files),
      ...sums('records', records),
      ['balanced', status.balanced],
      ['watermark', status.watermark],
      ['writer', status.writer?.pid ?? null],
    ];
    await printRows(output, columns, rows, terminal);
    return;
  }
  const lines = [
    ['Store', `${status.store} (version ${status.version})`],
    ['Writer', status.writer === null ? 'none' : `process ${status.writer.pid}`],
    [
      'Files',
      `${formatCount(files.seen)} seen: ${formatCount(files.done)} done, ${formatCount(files.damaged)} damaged, ${formatCount(files.failed)} failed`,
    ],
    [
      'Records',
      `${formatCount(records.in)} in = ${formatCount(records.stored)} stored + ${formatCount(records.duplicate)} duplicate + ${formatCount(records.rejected)} rejected`,
    ],
    [
      '',
      status.balanced
        ? 'the sums agree, for each file and in total'
        : 'THE SUMS DO NOT AGREE: run `trailhound store check`',
    ],
    [
      'Id conflicts',
      `${formatCount(records.id_conflicts)} records with the id of another one and other facts (both are stored)`,
    ],
    ['Without time', `${formatCount(records.without_time)} events without a usable time: stored, not hunted`],
    ['Watermark', status.watermark ?? 'none'],
    ...tables.flatMap((table) => [
      [
        `Table ${table.name}`,
        `${formatCount(table.rows)} rows in ${formatCount(table.segments)} segments, ${formatBytes(table.bytes)}`,
      ],
      ['', table.first === null ? 'no events yet' : `from ${table.first} to ${table.last}`],
    ]),
  ];
  const titleWidth = Math.max(...lines.map(([title = '']) => title.length));
  const text = lines.map(([title = '', value = '']) =>
    `${terminal.colors.dim(title.padEnd(titleWidth))}  ${printable(value)}`.trimEnd(),
  );
  await terminal.out(`${text.join('\n')}\n`);
}

async function printRejects({ output, terminal, options }: Run<Options>, rejects: readonly RejectRow[]): Promise<void> {
  const columns = [
    { name: 'log_file', type: 'VARCHAR' },
    { name: 'record_no', type: 'BIGINT' },
    { name: 'offset', type: 'BIGINT' },
    { name: 'length', type: 'BIGINT' },
    { name: 'reason', type: 'VARCHAR' },
    { name: 'detail', type: 'VARCHAR' },
    { name: 'text', type: 'VARCHAR' },
  ];
  const whole = output === 'json' || output === 'jsonl' || output === 'csv';
  const rows = terminal.mask
    .value(rejects)
    .map((reject) => [
      reject.logFileKey,
      reject.recordNo,
      reject.offset,
      reject.length,
      reject.reason,
      reject.detail,
      whole ? reject.text : reject.text.slice(0, EXCERPT_CHARACTERS),
    ]);
  await printRows(output, columns, rows, terminal);
  if (rejects.length === options.limit)
    terminal.info(`The first ${formatCount(options.limit)} rejects; --limit shows more.`);
}
