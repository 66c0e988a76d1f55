/** What turns the log files of a table into Parquet inside of AWS: the statements, and the lists of what they read. */
import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import type { Folders } from '../../source.ts';
import { type ColumnType, PARTITION_COLUMN, type Table } from '../../table.ts';
import { DAY_MS, dayOf, formatDay } from '../../time.ts';
import { type ListedFiles, LogFiles } from './log-files.ts';
import { PARTITIONS_MAX, partitionsPerDay } from './scale.ts';
import type { LogTable, Session } from './session.ts';
import { countSql, DAY_COLUMN, deliveredSql, distinctSql, portableColumns, type RawRelation } from './views.ts';

/** As the segments of a store have them, so that one table reads both. */
const TYPES: Readonly<Record<ColumnType, string>> = {
  VARCHAR: 'varchar',
  TIMESTAMP: 'timestamp(3)',
  BOOLEAN: 'boolean',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  'VARCHAR[]': 'array(varchar)',
};

/** Days whose records one statement counts: each reads the days behind its last one for late files besides. */
const COUNTED_TOGETHER = 7;

/** Of the days from `first` to `last`, `YYYY-MM-DD`, both included. */
export interface Days {
  readonly first: string;
  readonly last: string;
}

export interface Counted {
  /** By day: records that were delivered, and events that they are. */
  readonly days: ReadonlyMap<string, { readonly records: number; readonly events: number }>;
  /** Records delivered in these days whose events are of none of the days that a file of theirs is looked for in. */
  readonly outside: number;
}

const pathOf = (day: string): string => day.replaceAll('-', '/');
const plusDays = (day: string, days: number): string => formatDay(dayOf(day) + days);

/** Days between an event and the delivery of its record. */
const LAG = `date_diff('day', ${PARTITION_COLUMN}, CAST(date_parse(${DAY_COLUMN}, '%Y/%m/%d') AS date))`;

const dayBetween = (first: string, last: string): string =>
  `${DAY_COLUMN} BETWEEN '${pathOf(first)}' AND '${pathOf(last)}'`;

const delivered = (table: Table, raws: readonly RawRelation[]): string =>
  `(\n${deliveredSql(table, raws)}\n) AS delivered`;

/** The events of a day, each once, as they are stored. `lag`: how many days later its records may have been delivered. */
export function compactedSql(table: Table, raws: readonly RawRelation[], day: string, lag: number): string {
  const columns = portableColumns(table);
  return distinctSql(table, delivered(table, raws), {
    where: `${dayBetween(day, plusDays(day, lag))} AND ${PARTITION_COLUMN} = DATE '${day}'`,
    columns: columns.map(({ name, type }) => `CAST(${name} AS ${TYPES[type]}) AS ${name}`),
  });
}

/** https://docs.aws.amazon.com/athena/latest/ug/unload.html: the folder must be empty, and what a statement that fails has written stays. */
const unloadSql = (select: string, folder: string): string =>
  `UNLOAD (\n${select}\n)\nTO '${folder}'\nWITH (format = 'PARQUET', compression = 'ZSTD')`;

/** A row for each of the days, and one with NULL for what is of none of them. */
export function deliveriesSql(table: Table, raws: readonly RawRelation[], { first, last }: Days, lag: number): string {
  const inTime = `${LAG} BETWEEN 0 AND ${lag}`;
  const ofDays = `${PARTITION_COLUMN} BETWEEN DATE '${first}' AND DATE '${last}'`;
  return countSql(table, delivered(table, raws), {
    where: `${dayBetween(first, plusDays(last, lag))} AND (${inTime} AND ${ofDays} OR NOT ${inTime} AND ${dayBetween(first, last)})`,
    by: `CASE WHEN ${inTime} THEN CAST(${PARTITION_COLUMN} AS varchar) END`,
  });
}

/** A table of a database as what its days are compacted from. */
export class Compaction {
  readonly #session: Session;
  readonly #table: Table;
  readonly #raws: readonly RawRelation[];
  readonly #files: LogFiles;
  readonly #signal: AbortSignal;
  readonly #lag: number;
  /** Days that count() takes at a time, at most. */
  readonly countedTogether: number;

  private constructor(
    session: Session,
    table: Table,
    {
      raws,
      perDay,
      files,
      lag,
      signal,
    }: {
      readonly raws: readonly RawRelation[];
      readonly perDay: number;
      readonly files: LogFiles;
      readonly lag: number;
      readonly signal: AbortSignal;
    },
  ) {
    this.#session = session;
    this.#table = table;
    this.#raws = raws;
    this.#files = files;
    this.#lag = lag;
    this.#signal = signal;
    const fitting = perDay === 0 ? COUNTED_TOGETHER : Math.floor(PARTITIONS_MAX / perDay) - lag;
    this.countedTogether = Math.max(1, Math.min(COUNTED_TOGETHER, fitting));
  }

  /** Lists the log files of these days. Throws `usage-invalid` where `into` lies among them. */
  static async open(
    session: Session,
    { table, logs }: LogTable,
    { first, last }: Days,
    { into, folders, signal }: { readonly into: string; readonly folders: Folders; readonly signal: AbortSignal },
  ): Promise<Compaction> {
    const lag = Math.ceil(session.latenessMs / DAY_MS);
    const roots = logs.map(({ root }) => root);
    const around = roots.find(({ location }) => into.startsWith(location));
    if (around !== undefined)
      throw new AppError(
        'usage-invalid',
        `cannot compact ${table.name} to ${into}: its log files lie in ${around.location}`,
        {
          hint: 'Name a prefix beside them: what lies among log files is read as one.',
        },
      );
    const days = { first: pathOf(first), last: pathOf(plusDays(last, lag)) };
    const files = await LogFiles.list(roots, days, { folders, signal });
    const perDay = roots.reduce((sum, root) => sum + partitionsPerDay(root), 0);
    return new Compaction(session, table, { raws: logs.map(({ raw }) => raw), perDay, files, lag, signal });
  }

  /** What is read for these days. The digest is another where a compaction of them may have another result. */
  filesOf({ first, last }: Days): ListedFiles {
    const files = this.#files.between(pathOf(first), pathOf(plusDays(last, this.#lag)));
    const rule = JSON.stringify([this.#table.schemaVersion, this.#lag, files.digest]);
    return { ...files, digest: createHash('sha256').update(rule).digest('hex') };
  }

  async count(days: Days): Promise<Counted> {
    const { athena, meter } = this.#session;
    const { rows } = await athena.answer(deliveriesSql(this.#table, this.#raws, days, this.#lag), {
      meter,
      signal: this.#signal,
      expectedBytes: this.filesOf(days).scanBytes,
    });
    const counts = rows.map(([day, records, events]) => [day, Number(records), Number(events)] as const);
    return {
      days: new Map(
        counts.flatMap(([day, records, events]) => (day === undefined ? [] : [[day, { records, events }] as const])),
      ),
      outside: counts.find(([day]) => day === undefined)?.[1] ?? 0,
    };
  }

  /** Writes the events of a day below the folder that is named; it is asked for another one where Athena has to begin anew. */
  async unload(day: string, folder: () => string): Promise<void> {
    const { athena, meter } = this.#session;
    const select = compactedSql(this.#table, this.#raws, day, this.#lag);
    await athena.run(() => unloadSql(select, folder()), {
      meter,
      signal: this.#signal,
      expectedBytes: this.filesOf({ first: day, last: day }).scanBytes,
    });
  }
}
