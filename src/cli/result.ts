/** The result of a statement on its way out: printed as it comes, cut where a terminal would be flooded, or written to a file. */
import type { QueryStream, Value } from '../backend.ts';
import { AppError } from '../errors.ts';
import { csvData } from '../printable.ts';
import type { Run } from './command.ts';
import { createRowWriter } from './output/rows.ts';
import { formatCount } from './output/text.ts';

export interface ResultOptions {
  /** Rows at most; 0 for all. Absent: all, but a screenful where a person looks on. */
  readonly limit?: number;
  /** Where Parquet goes. */
  readonly file?: string;
}

/** Rows that a table on a terminal shows unless --limit says otherwise. */
const TERMINAL_ROWS = 200;

type ResultRun = Pick<Run<unknown>, 'output' | 'terminal' | 'signal'>;

/** Refuses what cannot work before a statement runs. */
export function checkResultOptions({ output, terminal }: ResultRun, options: ResultOptions): void {
  if (options.file !== undefined && output !== 'parquet') {
    throw new AppError('usage-invalid', `--file is for --output parquet only, not for ${output}`, {
      hint: 'Other forms go to stdout: add > and a file name.',
    });
  }
  if (output === 'parquet' && options.file === undefined && terminal.outIsTerminal) {
    throw new AppError('usage-invalid', 'cannot print Parquet to a terminal', { hint: 'Add --file result.parquet.' });
  }
}

/** Prints a result and returns how many rows there were. */
export async function printResult(run: ResultRun, result: QueryStream, options: ResultOptions): Promise<number> {
  const { output, terminal, signal } = run;
  const limit = options.limit ?? (output === 'table' && terminal.outIsTerminal ? TERMINAL_ROWS : 0);
  const { columns } = result;
  const rows = cut(result.batches, limit, signal);
  if (output === 'parquet') {
    const { writeParquet } = await import('./wire.ts');
    return writeParquet(columns, rows, options.file ?? ((bytes) => terminal.out(bytes)));
  }
  const writer = createRowWriter(output, columns, terminal, csvData);
  let count = 0;
  for await (const batch of rows) {
    await writer.write(batch);
    count += batch.length;
  }
  await writer.end();
  if (limit > 0 && count === limit) terminal.info(`The first ${formatCount(limit)} rows; --limit 0 shows all.`);
  return count;
}

async function* cut(
  batches: AsyncIterable<readonly (readonly Value[])[]>,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<readonly (readonly Value[])[]> {
  let left = limit;
  for await (const batch of batches) {
    if (signal.aborted) throw new AppError('interrupted', 'interrupted while the result was printed');
    if (limit === 0) {
      yield batch;
      continue;
    }
    yield batch.slice(0, left);
    left -= batch.length;
    if (left <= 0) return;
  }
}
