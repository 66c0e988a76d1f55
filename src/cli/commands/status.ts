/** `trailhound status`: what the store holds, and the proof that nothing was lost. */
import { Command } from 'commander';
import { json } from '../../printable.ts';
import { formatBytes } from '../../size.ts';
import type { RejectRow } from '../../store.ts';
import { finish, type Host, type Run, wholeNumber, withStore } from '../command.ts';
import { type Fact, factLines } from '../output/facts.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, formatSpan, plural } from '../output/text.ts';
import { type Status, statusOf } from '../status.ts';
import { IDLE_DAYS } from '../suppressions.ts';

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
        else await printStatus(run, await statusOf(store, run));
      });
      return 0;
    },
  );
}

async function printStatus({ output, terminal }: Run<Options>, status: Status): Promise<void> {
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
      ...Object.entries(status.suppressions).map(([state, ids]) => [`suppressions.${state}`, ids.join(' ')]),
      ...status.deliveries.map(({ sink, state, count }) => [`deliveries.${sink}.${state}`, count]),
      ...status.hunts.flatMap(({ hunt, ...values }) => sums(`hunts.${hunt}`, values)),
      ...status.sources.flatMap(({ source, ...values }) => sums(`sources.${source}`, values)),
    ];
    await printRows(output, columns, rows, terminal);
    return;
  }
  const lines: readonly Fact[] = [
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
    ...tables.flatMap((table): readonly Fact[] => [
      [
        `Table ${table.name}`,
        `${formatCount(table.rows)} rows in ${formatCount(table.segments)} segments, ${formatBytes(table.bytes)}`,
      ],
      ['', table.first === null ? 'no events yet' : `from ${table.first} to ${table.last}`],
    ]),
    ...suppressionFacts(status),
    ...deliveryFacts(status),
    ...status.hunts.map(huntFact),
    ...status.sources.map(sourceFact),
  ];
  await terminal.out(factLines(lines, terminal));
}

/** Only what somebody should look at. */
function suppressionFacts({ suppressions: { expired, idle } }: Status): readonly Fact[] {
  return [
    ...(expired.length > 0 ? [['Suppressions', `${expired.join(', ')} ended`] satisfies Fact] : []),
    ...(idle.length > 0
      ? [['Suppressions', `${idle.join(', ')} hid nothing in ${IDLE_DAYS} days`] satisfies Fact]
      : []),
  ];
}

function deliveryFacts({ deliveries }: Status): readonly Fact[] {
  return deliveries
    .filter(({ state }) => state !== 'grouped')
    .map(({ sink, state, count, oldest }): Fact => {
      const since = state === 'pending' || state === 'dead' ? ` since ${oldest}` : '';
      const why = state === 'dead' ? `: trailhound sql "SELECT * FROM delivery WHERE state = 'dead'" tells why` : '';
      return [`Sink ${sink}`, `${formatCount(count)} ${state === 'dead' ? 'GIVEN UP' : state}${since}${why}`];
    });
}

function huntFact({
  hunt,
  state,
  started_at,
  found,
  fresh,
  error,
  scanned_bytes: bytes,
}: Status['hunts'][number]): Fact {
  const what = error ?? `${formatCount(found)} found, ${formatCount(fresh)} new`;
  const scanned = bytes === null ? '' : `, ${formatBytes(bytes)} scanned on Athena`;
  return [`Hunt ${hunt}`, `${state} at ${started_at}: ${what}${scanned}`];
}

function sourceFact(state: Status['sources'][number]): Fact {
  const { source, files, lag_seconds: lag, usual_gap_seconds: gap, silent_since, error } = state;
  const usual = gap === null ? '' : ` (usually every ${formatSpan(gap)})`;
  const last = lag === null ? 'nothing new yet' : `last new log file ${formatSpan(lag)} ago${usual}`;
  return [
    `Source ${source}`,
    [
      `${plural(files, 'new log file')}, ${last}`,
      ...(silent_since === null ? [] : [`SILENT since ${silent_since}`]),
      ...(error === null ? [] : [`cannot be listed: ${error}`]),
    ].join(', '),
  ];
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
