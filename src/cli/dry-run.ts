/** What statements on Athena would read and cost, told without running them. */
import type { Param } from '../backend.ts';
import { AppError } from '../errors.ts';
import { printable, printableLines } from '../printable.ts';
import { formatBytes } from '../size.ts';
import { athenaWindow, type BackendCommandOptions, formatDollars, isAthena } from './athena.ts';
import { withAthena } from './backend.ts';
import type { Run } from './command.ts';
import { printRows } from './output/rows.ts';
import { formatCount, plural } from './output/text.ts';
import type { AthenaSession, Prepared } from './wire.ts';

const OF_ATHENA = ['database', 'catalog', 'workgroup', 'outputLocation', 'maxScan'] as const;

/** Options that only Athena heeds, `others` of the command among them, would be without effect over the store. Throws `usage-invalid`. */
export function refuseUnused(
  run: Pick<Run<BackendCommandOptions>, 'options' | 'config'>,
  others: readonly ('from' | 'to' | 'dryRun')[],
): void {
  if (isAthena(run)) return;
  const unused = [...others, ...OF_ATHENA].find((name) => run.options[name] !== undefined);
  if (unused === undefined) return;
  const option = unused.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
  throw new AppError('usage-invalid', `--${option} is for --backend athena only`, {
    hint: 'Over the local store, a condition on event_time in a statement does what --from and --to do.',
  });
}

/** One statement: its text, and what it would read. */
export async function printDryRun(
  run: Run<BackendCommandOptions>,
  sql: string,
  params: Readonly<Record<string, Param>>,
): Promise<void> {
  const window = athenaWindow(run);
  await withAthena(run, async (session) => {
    const backend = await session.backend(window);
    const prepared = await backend.prepare(sql, params);
    await run.terminal.out(`${printableLines(prepared.text)};\n`);
    await tellReads(session, [prepared], run);
  });
}

/** A row for each statement of a hunt, and what all of them would read. */
export async function printStatements(
  run: Run<BackendCommandOptions>,
  session: AthenaSession,
  statements: readonly (Prepared & { readonly title: string })[],
): Promise<void> {
  const columns = [
    ['detectors', 'VARCHAR'],
    ['table', 'VARCHAR'],
    ['scans', 'INTEGER'],
    ['days', 'INTEGER'],
    ['partitions', 'BIGINT'],
    ['columns', 'INTEGER'],
    ['text_bytes', 'INTEGER'],
  ].map(([name = '', type = '']) => ({ name, type }));
  const rows = statements.flatMap(({ title, text, tables }) =>
    tables.map(({ table, scans, days, partitions, columns: named }) => {
      const ids = title.split(', ');
      const who = ids.length > 3 ? plural(ids.length, 'detector') : title;
      return [printable(who), table, scans, days, partitions, named.length, Buffer.byteLength(text)];
    }),
  );
  await printRows(run.output, columns, rows, run.terminal);
  await tellReads(session, statements, run);
}

/** Bytes of a day of each table, from earlier statements or else from a list of the window's log files. */
async function ratesOf(session: AthenaSession, statements: readonly Prepared[]): Promise<ReadonlyMap<string, number>> {
  const known = await session.rates();
  const windows = statements.flatMap(({ window }) => (window === null ? [] : [window]));
  const window = {
    fromMs: Math.min(...windows.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...windows.map(({ toMs }) => toMs)),
  };
  const names = new Set(statements.flatMap(({ tables }) => tables.map(({ table }) => table)));
  const unknown = (await session.deployed()).filter(({ table }) => names.has(table.name) && !known.has(table.name));
  const listed = unknown.length === 0 ? [] : await session.estimate(window, unknown);
  return new Map([...known, ...listed.map(({ table, bytes, days }) => [table, bytes / days] as const)]);
}

/** Bytes that statements would scan. */
const bytesOf = (statements: readonly Prepared[], rates: ReadonlyMap<string, number>): readonly number[] =>
  statements.map(({ tables }) =>
    tables.reduce((sum, { table, scans, days }) => sum + scans * days * (rates.get(table) ?? 0), 0),
  );

async function dollarsOf(session: AthenaSession, bytes: readonly number[]): Promise<number> {
  let dollars = 0;
  for (const one of bytes) dollars += await session.price(one);
  return dollars;
}

async function tellReads(
  session: AthenaSession,
  statements: readonly Prepared[],
  { terminal }: Pick<Run<unknown>, 'terminal'>,
): Promise<void> {
  terminal.info(await readsText(session, statements, await ratesOf(session, statements)));
}

async function readsText(
  session: AthenaSession,
  statements: readonly Prepared[],
  rates: ReadonlyMap<string, number>,
): Promise<string> {
  const bytes = bytesOf(statements, rates);
  const total = bytes.reduce((sum, one) => sum + one, 0);
  const scans = statements.flatMap(({ tables }) => tables).reduce((sum, one) => sum + one.scans, 0);
  return `${plural(statements.length, 'statement')}, ${formatCount(scans)} scans, about ${formatBytes(total)}, about ${formatDollars(await dollarsOf(session, bytes))}`;
}

/** The same detectors, each for itself: what fusing them saves. */
export async function tellOneByOne(
  session: AthenaSession,
  together: readonly Prepared[],
  apart: readonly Prepared[],
  { terminal }: Pick<Run<unknown>, 'terminal'>,
): Promise<void> {
  const rates = await ratesOf(session, [...together, ...apart]);
  terminal.info(`Together: ${await readsText(session, together, rates)}`);
  terminal.info(`One by one: ${await readsText(session, apart, rates)}`);
}
