/** Statements on Athena: started once, watched to their end, stopped when nobody wants them, their results read page by page. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AthenaClient,
  type AthenaClientConfig,
  BatchGetQueryExecutionCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetWorkGroupCommand,
  ListQueryExecutionsCommand,
  ListTableMetadataCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  type TableMetadata,
} from '@aws-sdk/client-athena';
import { awsReason, unansweredError } from '../../aws.ts';
import { AppError } from '../../errors.ts';
import type { ScanMeter } from './cost.ts';
import type { CatalogEntry } from './ddl.ts';
import type { AthenaColumn } from './values.ts';

/** Where statements run, and where their results go. */
export interface AthenaPlace {
  readonly database: string;
  /** The data catalog; `AwsDataCatalog` is that of AWS Glue. */
  readonly catalog: string;
  readonly workgroup: string;
  /** `s3://bucket/prefix/`; null where the workgroup says it. */
  readonly outputLocation: string | null;
}

export interface RunOptions {
  readonly meter: ScanMeter;
  readonly signal: AbortSignal;
  /** An equal statement's result up to so many minutes old may be taken instead; null where new files may have come. */
  readonly reuseMinutes?: number | null;
  /** About how much it will scan, where that is known: the limit refuses before it starts. */
  readonly expectedBytes?: number | null;
  /** False for what makes the database itself. */
  readonly inDatabase?: boolean;
  readonly onProgress?: (progress: StatementProgress) => void;
}

export interface StatementProgress {
  readonly state: 'queued' | 'running';
  readonly scannedBytes: number;
}

/** A statement that succeeded. */
export interface Execution {
  readonly id: string;
  readonly scannedBytes: number;
  readonly reused: boolean;
  /** A SELECT: its first row is the names of the columns. */
  readonly hasHeader: boolean;
}

export interface ResultPage {
  readonly columns: readonly AthenaColumn[];
  /** Undefined is NULL. */
  readonly rows: readonly (readonly (string | undefined)[])[];
}

export interface Workgroup {
  /** Athena stops a statement that scans more; null where there is no such limit. */
  readonly cutoffBytes: number | null;
  readonly outputLocation: string | null;
}

/** The first look comes soon, for DDL and results that are reused; then ever later, up to the last. */
const POLL_FIRST_MS = 150;
const POLL_FACTOR = 1.5;
const POLL_LAST_MS = 3000;
/** Looks that failed in a row, beyond the tries of the client; the statement goes on meanwhile. */
const POLL_FAILURES_MAX = 6;
/** Starts of a statement that Athena refuses because too many run, or that failed for a reason of its own. */
const START_TRIES = 10;
const START_WAIT_FIRST_MS = 500;
const START_WAIT_LAST_MS = 30_000;
const RUN_TRIES = 3;
/** The most that Athena gives: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html. */
const PAGE_ROWS = 1000;
const METADATA_PAGE = 50;
/** To stop a statement when the program is about to end. */
const STOP_MS = 5000;
/** Statements of the past that are looked at, 50 a request. */
const HISTORY_PAGES = 6;

/** The AthenaError of a failed statement: https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html. */
const SYSTEM_CATEGORY = 1;
const USER_CATEGORY = 2;
/** What Athena's reasons begin with where the text of the statement is at fault. */
const OF_THE_TEXT =
  /^(?:SYNTAX_ERROR|COLUMN_NOT_FOUND|TABLE_NOT_FOUND|FUNCTION_NOT_FOUND|TYPE_MISMATCH|TYPE_NOT_FOUND|AMBIGUOUS_NAME|MISSING_|NOT_SUPPORTED|INVALID_|DIVISION_BY_ZERO|NUMERIC_VALUE_OUT_OF_RANGE|DUPLICATE_|EXPRESSION_NOT_|line \d+:\d+|FAILED: (?:ParseException|SemanticException))/u;

export class Athena {
  readonly place: AthenaPlace;
  readonly #client: AthenaClient;

  constructor(config: AthenaClientConfig, place: AthenaPlace) {
    this.#client = new AthenaClient(config);
    this.place = place;
  }

  close(): void {
    this.#client.destroy();
  }

  /**
   * Runs a statement to its end. What fails for a reason of Athena's own is started anew, with another text where `text` makes one. A raised signal, and the limit of the meter, stop it on the server. Throws
   * `sql-invalid`, `query-failed`, `scan-limit`, `interrupted`, `aws-credentials`.
   */
  async run(text: string | (() => string), options: RunOptions): Promise<Execution> {
    for (let tries = 1; ; tries += 1) {
      options.meter.admit(options.expectedBytes ?? null);
      const id = await this.#start(typeof text === 'string' ? text : text(), options);
      const ended = await this.#watch(id, options);
      const { Status: status = {}, Statistics: statistics = {}, StatementType: type } = ended;
      const reused = statistics.ResultReuseInformation?.ReusedPreviousResult === true;
      const scannedBytes = statistics.DataScannedInBytes ?? 0;
      if (status.State === 'SUCCEEDED') {
        options.meter.end(id, scannedBytes, reused ? 'reused' : 'done');
        return { id, scannedBytes, reused, hasHeader: type === 'DML' };
      }
      options.meter.end(id, scannedBytes, status.State === 'CANCELLED' ? 'cancelled' : 'failed');
      const { Retryable: retryable, ErrorCategory: category } = status.AthenaError ?? {};
      const again =
        status.State === 'FAILED' && (retryable === true || category === SYSTEM_CATEGORY) && tries < RUN_TRIES;
      if (!again) throw failureOf(id, ended, this.place);
      await this.#pause(startWaitMs(tries), options.signal);
    }
  }

  /** The rows of a statement that succeeded, a page at a time, the header left out. */
  async *pages({ id, hasHeader }: Execution, signal: AbortSignal): AsyncGenerator<ResultPage, void, undefined> {
    let token: string | undefined;
    let isFirst = true;
    do {
      const command = new GetQueryResultsCommand({
        QueryExecutionId: id,
        MaxResults: PAGE_ROWS,
        ...(token !== undefined && { NextToken: token }),
      });
      const page = await this.#persist(
        `read the result of the statement ${id}`,
        (one) => this.#client.send(command, one),
        signal,
      );
      const columns = (page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(
        ({ Name: name = '', Type: columnType = 'varchar', Precision: precision, Scale: scale }) => ({
          name,
          type: columnType,
          ...(precision !== undefined && { precision }),
          ...(scale !== undefined && { scale }),
        }),
      );
      const rows = (page.ResultSet?.Rows ?? []).map(({ Data: data = [] }) =>
        data.map(({ VarCharValue: value }) => value),
      );
      yield { columns, rows: isFirst && hasHeader ? rows.slice(1) : rows };
      isFirst = false;
      token = page.NextToken;
    } while (token !== undefined);
  }

  /** All rows of a short answer, such as that of SHOW. */
  async answer(text: string, options: RunOptions): Promise<ResultPage> {
    const pages: ResultPage[] = [];
    for await (const page of this.pages(await this.run(text, options), options.signal)) pages.push(page);
    return { columns: pages[0]?.columns ?? [], rows: pages.flatMap(({ rows }) => rows) };
  }

  /** The tables and views of the database; null where there is no such database. */
  async entries(signal: AbortSignal): Promise<readonly CatalogEntry[] | null> {
    const { catalog, database, workgroup } = this.place;
    const entries: CatalogEntry[] = [];
    let token: string | undefined;
    try {
      do {
        const page = await this.#ask(
          `list the tables of the database ${database}`,
          (abortSignal) =>
            this.#client.send(
              new ListTableMetadataCommand({
                CatalogName: catalog,
                DatabaseName: database,
                MaxResults: METADATA_PAGE,
                WorkGroup: workgroup,
                ...(token !== undefined && { NextToken: token }),
              }),
              { abortSignal },
            ),
          signal,
        );
        entries.push(...(page.TableMetadataList ?? []).map(entryOf));
        token = page.NextToken;
      } while (token !== undefined);
      return entries;
    } catch (error) {
      const { message } = awsReason(error instanceof AppError ? error.cause : error);
      if (/database .*not found|EntityNotFound|does not exist/iu.test(message)) return null;
      throw error;
    }
  }

  async workgroup(signal: AbortSignal): Promise<Workgroup> {
    const { workgroup } = this.place;
    const { WorkGroup: found } = await this.#ask(
      `read the workgroup ${workgroup}`,
      (abortSignal) => this.#client.send(new GetWorkGroupCommand({ WorkGroup: workgroup }), { abortSignal }),
      signal,
    );
    return {
      cutoffBytes: found?.Configuration?.BytesScannedCutoffPerQuery ?? null,
      outputLocation: found?.Configuration?.ResultConfiguration?.OutputLocation ?? null,
    };
  }

  /** The latest statements of the workgroup that succeeded: their texts, and what they scanned. */
  async history(signal: AbortSignal): Promise<readonly { readonly text: string; readonly scannedBytes: number }[]> {
    const { workgroup, database } = this.place;
    const doing = `read the past statements of the workgroup ${workgroup}`;
    const found: { text: string; scannedBytes: number }[] = [];
    let token: string | undefined;
    for (let page = 0; page < HISTORY_PAGES; page += 1) {
      const { QueryExecutionIds: ids = [], NextToken: next } = await this.#ask(
        doing,
        (abortSignal) =>
          this.#client.send(
            new ListQueryExecutionsCommand({
              WorkGroup: workgroup,
              MaxResults: 50,
              ...(token !== undefined && { NextToken: token }),
            }),
            { abortSignal },
          ),
        signal,
      );
      if (ids.length === 0) break;
      const { QueryExecutions: executions = [] } = await this.#ask(
        doing,
        (abortSignal) =>
          this.#client.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids }), { abortSignal }),
        signal,
      );
      for (const {
        Query: text = '',
        Status: status,
        Statistics: statistics,
        QueryExecutionContext: context,
      } of executions) {
        const isNew = statistics?.ResultReuseInformation?.ReusedPreviousResult !== true;
        if (status?.State === 'SUCCEEDED' && isNew && context?.Database === database)
          found.push({ text, scannedBytes: statistics?.DataScannedInBytes ?? 0 });
      }
      token = next;
      if (token === undefined) break;
    }
    return found;
  }

  /** The token makes one statement of it however often the request is sent. */
  async #start(text: string, { signal, reuseMinutes = null, inDatabase = true }: RunOptions): Promise<string> {
    const { database, catalog, workgroup, outputLocation } = this.place;
    const command = new StartQueryExecutionCommand({
      QueryString: text,
      ClientRequestToken: randomUUID(),
      QueryExecutionContext: { Catalog: catalog, ...(inDatabase && { Database: database }) },
      WorkGroup: workgroup,
      ...(outputLocation !== null && { ResultConfiguration: { OutputLocation: outputLocation } }),
      ...(reuseMinutes !== null && {
        ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: reuseMinutes } },
      }),
    });
    for (let tries = 1; ; tries += 1) {
      try {
        const { QueryExecutionId: id } = await this.#ask(
          'start the statement',
          (abortSignal) => this.#client.send(command, { abortSignal }),
          signal,
        );
        if (id === undefined) throw new AppError('query-failed', 'cannot start the statement: Athena gave it no id');
        return id;
      } catch (error) {
        if (!isThrottled(error) || tries >= START_TRIES) throw error;
        await this.#pause(startWaitMs(tries), signal);
      }
    }
  }

  /** Until it ends, whatever the end is. */
  async #watch(id: string, options: RunOptions): Promise<QueryExecution> {
    const { signal, meter, onProgress } = options;
    let failures = 0;
    for (let waitMs = POLL_FIRST_MS; ; waitMs = Math.min(waitMs * POLL_FACTOR, POLL_LAST_MS)) {
      let execution: QueryExecution;
      try {
        await this.#pause(waitMs, signal);
        execution = await this.#look(id, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) throw await this.#interrupted(id, meter);
        failures += 1;
        if (!isPassing(error) || failures >= POLL_FAILURES_MAX) throw error;
        continue;
      }
      const state = execution.Status?.State;
      if (state !== 'QUEUED' && state !== 'RUNNING') return execution;
      const scannedBytes = execution.Statistics?.DataScannedInBytes ?? 0;
      onProgress?.({ state: state === 'QUEUED' ? 'queued' : 'running', scannedBytes });
      if (meter.progress(id, scannedBytes)) continue;
      const error = meter.exceeded();
      await this.#stop(id, meter);
      throw error;
    }
  }

  async #look(id: string, signal: AbortSignal): Promise<QueryExecution> {
    const { QueryExecution: execution } = await this.#ask(
      `see how far the statement ${id} is`,
      (abortSignal) => this.#client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal }),
      signal,
    );
    if (execution === undefined)
      throw new AppError('query-failed', `cannot see how far the statement ${id} is: Athena does not know it`);
    return execution;
  }

  async #interrupted(id: string, meter: ScanMeter): Promise<AppError> {
    const stopped = await this.#stop(id, meter);
    return stopped
      ? new AppError('interrupted', 'the statement was interrupted, and stopped on Athena')
      : new AppError('interrupted', `the statement was interrupted, but Athena could not be told to stop it: ${id}`, {
          hint: `Stop it yourself: aws athena stop-query-execution --query-execution-id ${id}`,
        });
  }

  /** True where Athena was told. What it had scanned by then is billed. */
  async #stop(id: string, meter: ScanMeter): Promise<boolean> {
    const abortSignal = AbortSignal.timeout(STOP_MS);
    try {
      await this.#client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }), { abortSignal });
      const { Statistics: statistics } = await this.#look(id, abortSignal);
      meter.end(id, statistics?.DataScannedInBytes ?? 0, 'cancelled');
      return true;
    } catch {
      return false;
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(ms, undefined, { signal });
    } catch {
      throw new AppError('interrupted', 'the statement was interrupted');
    }
  }

  /** Asks again, beyond the tries of the client: what is asked for was paid for. */
  async #persist<T>(
    doing: string,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#ask(doing, (abortSignal) => send({ abortSignal }), signal);
      } catch (error) {
        if (!isPassing(error) || failures >= POLL_FAILURES_MAX) throw error;
        await this.#pause(startWaitMs(failures), signal);
      }
    }
  }

  async #ask<T>(doing: string, send: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await send(signal);
    } catch (error) {
      if (signal.aborted) throw new AppError('interrupted', `interrupted: cannot ${doing}`);
      throw requestError(error, doing, this.place);
    }
  }
}

const startWaitMs = (tries: number): number =>
  Math.min(START_WAIT_FIRST_MS * 2 ** (tries - 1), START_WAIT_LAST_MS) * (0.5 + Math.random() / 2);

const THROTTLED = /^(?:TooManyRequestsException|ThrottlingException|RequestLimitExceeded)$/u;
const isThrottled = (error: unknown): boolean =>
  THROTTLED.test(awsReason(error instanceof AppError ? error.cause : error).name);

/** May another look succeed? */
function isPassing(error: unknown): boolean {
  if (error instanceof AppError && (error.code === 'aws-credentials' || error.code === 'interrupted')) return false;
  const { status } = awsReason(error instanceof AppError ? error.cause : error);
  return isThrottled(error) || status === 0 || status >= 500;
}

/** What a request that failed means for a person. */
function requestError(error: unknown, doing: string, { workgroup }: AthenaPlace): AppError {
  if (error instanceof AppError) return error;
  const unanswered = unansweredError(error, doing, 'query-failed');
  if (unanswered !== null) return unanswered;
  const { name, status, message } = awsReason(error);
  const make = (why: string, hint: string, code: 'query-failed' | 'usage-invalid' = 'query-failed'): AppError =>
    new AppError(code, `cannot ${doing}: ${why}`, { hint, cause: error });
  if (THROTTLED.test(name))
    return make(
      `Athena has too much to do for this account (${message})`,
      'Run the same command again later, or ask AWS for a higher quota of active queries.',
    );
  if (name === 'AccessDeniedException' || status === 403)
    return make(`access denied (${message})`, 'docs/athena.md has the policy that it takes.');
  if (/output location/iu.test(message))
    return make(message, 'Name --output-location s3://bucket/prefix/, or a --workgroup that has one.', 'usage-invalid');
  if (/workgroup/iu.test(message))
    return make(message, `Name a --workgroup that there is, instead of '${workgroup}'.`, 'usage-invalid');
  return make(`${name}: ${message}`, 'Run the same command again.');
}

/** What a statement that did not succeed means for a person. */
function failureOf(id: string, { Status: status = {} }: QueryExecution, { workgroup }: AthenaPlace): AppError {
  const { State: state, StateChangeReason: stated, AthenaError: error } = status;
  const reason = stated ?? error?.ErrorMessage ?? 'Athena gives no reason';
  const of = ` (statement ${id})`;
  if (/bytes scanned limit/iu.test(reason)) {
    return new AppError('scan-limit', `the workgroup ${workgroup} stopped the statement: ${reason}${of}`, {
      hint: 'Narrow --from and --to, or raise the limit of the workgroup.',
    });
  }
  if (state === 'CANCELLED') {
    return new AppError('query-failed', `the statement was cancelled on Athena: ${reason}${of}`, {
      hint: 'Somebody stopped it, there or by its workgroup. What it had scanned is billed.',
    });
  }
  const make = (code: 'query-failed' | 'sql-invalid', hint?: string): AppError =>
    new AppError(code, `Athena could not run the statement: ${reason}${of}`, hint === undefined ? {} : { hint });
  if (/access denied|not authorized|AccessDenied|kms/iu.test(reason))
    return make('query-failed', 'docs/athena.md has the policy that it takes.');
  if (/exhausted resources|EXCEEDED_|timeout|too many partitions/iu.test(reason))
    return make('query-failed', 'Narrow --from and --to: a shorter window takes less memory and time.');
  if (error?.ErrorCategory === USER_CATEGORY || OF_THE_TEXT.test(reason)) return make('sql-invalid');
  return make('query-failed', 'Run the same command again; a statement that failed is not billed.');
}

function entryOf({
  Name: name = '',
  TableType: type,
  Columns: columns = [],
  PartitionKeys: keys = [],
  Parameters: parameters = {},
}: TableMetadata): CatalogEntry {
  return {
    name,
    isView: type === 'VIRTUAL_VIEW',
    columns: columns.map((column) => ({ name: column.Name ?? '', type: column.Type ?? '' })),
    keys: keys.map((key) => key.Name ?? ''),
    parameters,
  };
}
