/** The wiring: the one file that names implementations. Commands load it when they run, so that --help loads no engine; what only some of them need is loaded in its functions. */
import { randomUUID } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { SurveyOptions } from '../account/survey.ts';
import type { Survey } from '../account.ts';
import type { Backend, ResultColumn, Value } from '../backend.ts';
import type { AthenaBackend, AthenaBackendOptions, Prepared } from '../backends/athena/backend.ts';
import type { Workgroup } from '../backends/athena/client.ts';
import type { LogRoot } from '../backends/athena/ddl.ts';
import type { TableEstimate } from '../backends/athena/estimate.ts';
import type { DiscoverOptions } from '../backends/athena/layout.ts';
import type { Check } from '../backends/athena/selftest.ts';
import type { DeployedTable, SetupStep } from '../backends/athena/setup.ts';
import { ACCOUNT_COLUMNS, ACCOUNT_TABLE } from '../backends/context.ts';
import { LAKE_COLUMNS, LAKE_VIEW } from '../backends/lake.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { FilledRecord } from '../detection/example-records.ts';
import type { ExamplesReport } from '../detection/examples.ts';
import type { LintContext, LintProblem, LintRule } from '../detection/lint.ts';
import type { Variant } from '../detection/mutate.ts';
import type { Recorded } from '../detection/silence.ts';
import type { Detector, ExampleRecord } from '../detector.ts';
import type { EnrichmentFiles } from '../enrichment/open.ts';
import type { Organization } from '../enrichment/organization.ts';
import { type Enrichment, inContext, NO_CONTEXT } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import type { Decoder, Format } from '../format.ts';
import { cloudtrailInsightTable } from '../formats/cloudtrail-insight-table.ts';
import { cloudtrailTable } from '../formats/cloudtrail-table.ts';
import { s3AccessTable } from '../formats/s3-access-table.ts';
import { wafTable } from '../formats/waf-table.ts';
import type { HuntStatement, RunStatement } from '../hunt.ts';
import type { IngestForecast, IngestOptions, IngestResult, SegmentWriter, WorkerThread } from '../ingest.ts';
import type { CompactDeps, CompactResult } from '../pipeline/compact.ts';
import type { ExportDeps, ExportResult } from '../pipeline/export.ts';
import type { HuntDeps, HuntOptions, HuntPart, HuntResult, Rehearsal } from '../pipeline/hunt.ts';
import type { LoadedRules } from '../sigma/load.ts';
import type { AwsOptions, Folders, Source } from '../source.ts';
import type { RemoteOptions } from '../sources/open.ts';
import type { QueueOptions } from '../sources/sqs.ts';
import { CATALOG_TABLES } from '../store/catalog-tables.ts';
import { storePaths } from '../store/files.ts';
import type { LocalStore } from '../store/store.ts';
import type { HuntKey, Segment, Store } from '../store.ts';
import { type Column, PARTITION_COLUMN, type Table } from '../table.ts';
import { DAY_MS, type Window } from '../time.ts';
import type { Config } from './config.ts';
import type { Indicator } from './lists.ts';
import { packageFile } from './package.ts';

export type { Prepared } from '../backends/athena/backend.ts';
export { ALERT_COLUMNS, suppressionLabel } from '../pipeline/alerts.ts';
export { type Loudness, loudnessOf, type Proposal, proposalsFor } from '../pipeline/backtest.ts';
export { refuseStoreInside } from '../pipeline/evidence.ts';
export type { Override } from '../pipeline/scope.ts';
export type { LoadedRules, RuleReport } from '../sigma/load.ts';
export type { QueueOptions } from '../sources/sqs.ts';
export type { LocalStore } from '../store/store.ts';

/** Every table that a format fills. */
export const TABLES: readonly Table[] = [cloudtrailTable, s3AccessTable, wafTable, cloudtrailInsightTable];

/** Throws `store-missing` when there is none and it is not to be created. */
export async function openStore(dir: string, options: { readonly create?: boolean } = {}): Promise<LocalStore> {
  const store = await import('../store/store.ts');
  return store.openStore(dir, options);
}

/** Opens every source, or none, and the list of log files where there is one. Buckets beside a queue that is reconciled are listed by it. */
export async function openSources(
  names: readonly string[],
  filesFrom: string | null,
  { queue, ...remote }: Omit<RemoteOptions, 'queue'> & { readonly queue: Omit<QueueOptions, 'roots'> },
): Promise<readonly Source[]> {
  const { openSource } = await import('../sources/open.ts');
  const roots = queue.reconcileDays === null ? [] : names.filter((name) => name.startsWith('s3://'));
  const sources: Source[] = [];
  try {
    for (const name of names) {
      if (!roots.includes(name))
        sources.push(await openSource(name, process.stdin, { ...remote, queue: { ...queue, roots } }));
    }
    if (filesFrom !== null) {
      const { openFileList } = await import('../sources/file-list.ts');
      sources.push(await openFileList(filesFrom, process.stdin, remote.aws));
    }
    return sources;
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

/** Starts the threads of an ingest into the store of this folder, which need not be there yet. */
export async function startThreads(
  storeDir: string,
  options: Pick<IngestOptions, 'limits' | 'workers' | 'format' | 'redact'>,
): Promise<readonly WorkerThread[]> {
  const pipeline = await import('../pipeline/ingest.ts');
  const { startWorkerThread } = await import('./worker-thread.ts');
  const { staging } = storePaths(resolve(storeDir));
  return pipeline.startThreads((worker) => startWorkerThread({ ...worker, stagingDir: staging }), options);
}

/** Lists sources behind a network from now on, for whoever ingests them. */
export async function listEarly(
  sources: readonly Source[],
  { scope, signal }: Pick<IngestOptions, 'scope' | 'signal'>,
): Promise<readonly Source[]> {
  const pipeline = await import('../pipeline/early-listing.ts');
  return pipeline.listEarly(sources, scope, signal);
}

/** Ends threads that may have nothing to do. */
export async function stopThreads(threads: readonly WorkerThread[]): Promise<void> {
  const pipeline = await import('../pipeline/ingest.ts');
  await pipeline.stopThreads(threads);
}

/** What an account of AWS records, and where that is delivered. */
export async function surveyAccount(options: SurveyOptions): Promise<Survey> {
  const { survey } = await import('../account/survey.ts');
  return survey(options);
}

/** The detectors that cannot fire over what an account records, each with the reason. */
export async function silentDetectors(
  detectors: readonly Detector[],
  recorded: Recorded,
): Promise<readonly { readonly detector: Detector; readonly reason: string }[]> {
  const { silenceOf } = await import('../detection/silence.ts');
  return detectors.flatMap((detector) => {
    const reason = silenceOf(detector, recorded);
    return reason === null ? [] : [{ detector, reason }];
  });
}

/** Sigma rules as detectors, each compiled once to see that the engine takes it. `portable`: those that Athena can run. */
export async function loadSigmaRules(
  paths: readonly string[],
  options: {
    readonly placeholders: Readonly<Record<string, readonly string[]>>;
    readonly lists: ReadonlyMap<string, readonly Indicator[]>;
    readonly portable: boolean;
  },
): Promise<LoadedRules> {
  const { loadRules } = await import('../sigma/load.ts');
  const { compile } = await import('../detection/compile.ts');
  const { conditionSql, parseCondition, valueSql } = await import('../detection/condition.ts');
  const lists = Object.fromEntries(listValues(options.lists).map(({ name, values }) => [name, values]));
  const contextOf = (table: Table) => ({ detector: 'sigma', table, parameters: {}, lists });
  return loadRules(paths, {
    tables: TABLES,
    placeholders: options.placeholders,
    lists: Object.keys(lists),
    portable: options.portable,
    words: {
      condition: (condition, table) => conditionSql(parseCondition(condition, contextOf(table))),
      value: (key, table) => valueSql(key, contextOf(table)),
    },
    check: (detector) => {
      const table = TABLES.find(({ name }) => name === detector.table);
      if (table !== undefined) compile({ detector, parameters: {}, window: { fromMs: 0, toMs: DAY_MS } }, table, lists);
    },
  });
}

/** Puts what is new in the sources into the store. */
export async function ingestInto(
  store: LocalStore,
  threads: readonly WorkerThread[],
  options: IngestOptions,
): Promise<IngestResult> {
  const { ingest } = await import('../pipeline/ingest.ts');
  return ingest({ dir: store.dir, openWriter: () => store.openWriter(TABLES), threads }, options);
}

/** What an ingest would take. Nothing is written: a store that is not there yet is not created. */
export async function forecast(
  storeDir: string,
  options: Pick<IngestOptions, 'sources' | 'scope' | 'signal'>,
): Promise<IngestForecast> {
  const { forecastIngest } = await import('../pipeline/forecast.ts');
  const { storeExists } = await import('../store/version.ts');
  if (!storeExists(storePaths(storeDir))) return forecastIngest(null, options);
  const store = await openStore(storeDir);
  try {
    return await forecastIngest(store.known, options);
  } finally {
    await store.close();
  }
}

/** What is known beside the logs, out of files. Throws `config-invalid`. */
export async function openEnrichment(files: EnrichmentFiles): Promise<Enrichment> {
  const enrichment = await import('../enrichment/open.ts');
  return enrichment.openEnrichment(files);
}

/** The accounts of an organization, by those who may ask for them. Throws `aws-credentials` and `source-unreadable`. */
export async function readOrganization(aws: AwsOptions): Promise<Organization> {
  const organization = await import('../enrichment/organization.ts');
  return organization.readOrganization(aws);
}

/** The file of accounts that the config names. */
export async function accountsText(accounts: Organization['accounts']): Promise<string> {
  const file = await import('../enrichment/accounts.ts');
  return file.accountsText(accounts);
}

/** A statement of a person may take this share of the machine's memory; what does not fit goes to disk. */
const SQL_MEMORY_SHARE = 0.5;
const SQL_MEMORY_MAX_MB = 4096;

export interface BackendOptions {
  readonly portable: boolean;
  readonly lists: ReadonlyMap<string, readonly Indicator[]>;
  readonly enrichment: Enrichment;
}

const sqlMemoryMb = Math.min(SQL_MEMORY_MAX_MB, Math.floor((totalmem() / 1_000_000) * SQL_MEMORY_SHARE));

/** A folder for what does not fit into memory; gone when the work is done. */
export async function withTempDirectory<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'trailhound-'));
  try {
    return await use(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Uses a backend for a person's own SQL, shut to everything but the tables of this store as they are now. */
export function useBackend<T>(
  store: Store,
  { portable, lists, enrichment }: BackendOptions,
  use: (backend: Backend) => Promise<T>,
): Promise<T> {
  return withTempDirectory(async (tempDirectory) => {
    const { createDuckdbBackend } = await import('../backends/duckdb.ts');
    const snapshots: string[] = [];
    const backend = await createDuckdbBackend({
      tables: await Promise.all(TABLES.map(async (table) => ({ table, segments: await store.segments(table) }))),
      relations: CATALOG_TABLES.map(({ name, columns }) => ({
        name,
        columns,
        file: async () => {
          const { file } = await store.snapshot(name);
          snapshots.push(file);
          return file;
        },
      })),
      lists: listValues(lists),
      enrichment,
      portable,
      locked: true,
      memoryLimitMb: sqlMemoryMb,
      threads: availableParallelism(),
      tempDirectory,
    });
    try {
      return await use(backend);
    } finally {
      await backend.close();
      for (const file of snapshots) rmSync(file, { force: true });
    }
  });
}

/** Writes a result as Parquet: to a file, or through one to whoever takes its bytes. Returns how many rows there were. */
export function writeParquet(
  columns: readonly ResultColumn[],
  batches: AsyncIterable<readonly (readonly Value[])[]>,
  target: string | ((bytes: Uint8Array) => Promise<void>),
): Promise<number> {
  return withTempDirectory(async (tempDirectory) => {
    const { writeParquetFile } = await import('../backends/parquet-file.ts');
    const file = typeof target === 'string' ? target : join(tempDirectory, 'result.parquet');
    const count = await writeParquetFile({ columns, batches, file, memoryLimitMb: sqlMemoryMb, tempDirectory });
    if (typeof target !== 'string') for await (const bytes of createReadStream(file)) await target(bytes as Uint8Array);
    return count;
  });
}

export interface ExportStoreOptions {
  readonly target: string;
  readonly aws: AwsOptions;
  readonly tables: readonly Table[];
  /** Days that may hold events of it. */
  readonly window: Partial<Window>;
  readonly where: string | null;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (table: string, done: number, all: number) => void;
}

/** Tables of the store that have events in the window, put where other engines can read them. */
export function exportStore(store: LocalStore, options: ExportStoreOptions): Promise<readonly ExportResult[]> {
  const { where, window, tables, onProgress } = options;
  return withTempDirectory(async (tempDirectory) => {
    const { exportTable } = await import('../pipeline/export.ts');
    const { openTarget } = await import('../targets/open.ts');
    const target = await openTarget(options.target, options.aws);
    try {
      const results: ExportResult[] = [];
      for (const table of tables) {
        const segments = await store.segments(table, window);
        if (segments.length === 0) continue;
        const select = where === null ? null : await selectRows(table, where, tempDirectory);
        const deps = { storeId: store.id(), target, select };
        const progress = (done: number, all: number): void => onProgress(table.name, done, all);
        results.push(await exportTable(deps, { ...options, table, segments, progress }));
      }
      return results;
    } finally {
      target.close();
    }
  });
}

/** Rows of one segment for which a person's condition holds. Throws `sql-invalid` for one that cannot be used. */
async function selectRows(
  table: Table,
  where: string,
  tempDirectory: string,
): Promise<NonNullable<ExportDeps['select']>> {
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ');
  const sql = `SELECT ${columns} FROM ${table.name} WHERE (${where}\n)`;
  const { createDuckdbBackend } = await import('../backends/duckdb.ts');
  const { writeParquetFile } = await import('../backends/parquet-file.ts');
  const over = async <T>(segments: readonly Segment[], use: (backend: Backend) => Promise<T>): Promise<T> => {
    const backend = await createDuckdbBackend({
      tables: [{ table, segments }],
      portable: true,
      locked: true,
      memoryLimitMb: sqlMemoryMb,
      threads: 1,
      tempDirectory,
    });
    try {
      return await use(backend);
    } finally {
      await backend.close();
    }
  };
  await over([], (backend) => backend.query(sql));
  return (segment) =>
    over([segment], async (backend) => {
      const path = join(tempDirectory, basename(segment.path));
      const stream = await backend.stream(sql);
      return {
        path,
        rows: await writeParquetFile({ ...stream, file: path, memoryLimitMb: sqlMemoryMb, tempDirectory }),
      };
    });
}

/** What does not fit goes to disk. */
const HUNT_MEMORY_MB = 512;

export interface HunterOptions extends Omit<HuntOptions, 'lists'> {
  readonly lists: ReadonlyMap<string, readonly Indicator[]>;
}

/** Whether there is a store in this folder. */
export async function isStore(dir: string): Promise<boolean> {
  const { storeExists } = await import('../store/version.ts');
  return storeExists(storePaths(resolve(dir)));
}

export type { Rehearsal } from '../pipeline/hunt.ts';

/** Runs detectors over a store. */
export interface Hunter {
  /** What its detectors have judged is known by these. */
  readonly keys: readonly HuntKey[];
  /** Judges what commits since the last time touch. */
  huntNew(part: HuntPart): Promise<HuntResult>;
  /** Judges a window; an absent bound is that of the store. */
  huntWindow(bounds: Partial<Window>): Promise<HuntResult>;
  /** What judging a window would find; nothing is recorded. */
  rehearse(bounds: Partial<Window>): Promise<Rehearsal>;
  /** The statements that would run. */
  explain(bounds: Partial<Window>): Promise<readonly HuntStatement[]>;
  /** Runs them, and records nothing. */
  analyze(bounds: Partial<Window>): Promise<readonly RunStatement[]>;
}

export function useHunter<T>(store: Store, options: HunterOptions, use: (hunter: Hunter) => Promise<T>): Promise<T> {
  return withTempDirectory(async (dir) => use(await openHunter(store, options, { dir, clock: systemClock })));
}

/** A hunter that lasts as long as its folder for what does not fit into memory. */
export async function openHunter(
  store: Store,
  options: HunterOptions,
  { dir, clock }: { readonly dir: string; readonly clock: Clock },
): Promise<Hunter> {
  const { createDuckdbBackend } = await import('../backends/duckdb.ts');
  const { createEngine } = await import('../detection/planner.ts');
  const { analyzeHunt, explainHunt, huntKeys, huntNew, huntWindow, rehearse } = await import('../pipeline/hunt.ts');
  const lists = listValues(options.lists);
  const hunt: HuntOptions = { ...options, lists: namedLists(options.lists) };
  const deps: HuntDeps = {
    store,
    tables: TABLES.map((table) => ({ table, engine: createEngine(table) })),
    openBackend: (tables) =>
      createDuckdbBackend({
        tables,
        lists,
        ...(options.enrichment && { enrichment: options.enrichment }),
        portable: true,
        locked: false,
        memoryLimitMb: HUNT_MEMORY_MB,
        threads: availableParallelism(),
        tempDirectory: dir,
      }),
    nowMs: () => clock.nowMs(),
  };
  return {
    keys: huntKeys(hunt),
    huntNew: (part) => huntNew(deps, hunt, part),
    huntWindow: (bounds) => huntWindow(deps, hunt, bounds),
    rehearse: (bounds) => rehearse(deps, hunt, bounds),
    explain: (bounds) => explainHunt(deps, hunt, bounds),
    analyze: (bounds) => analyzeHunt(deps, hunt, bounds),
  };
}

/** How Athena is used, from the command line, the config and the defaults. */
export interface AthenaSettings {
  readonly aws: AwsOptions;
  readonly place: {
    readonly database: string;
    readonly catalog: string;
    readonly workgroup: string;
    readonly outputLocation: string | null;
  };
  readonly maxScanBytes: number | null;
  /** Null for the default. */
  readonly latenessMs: number | null;
}

/** What a run has cost so far. */
export interface Spent {
  readonly statements: number;
  readonly reused: number;
  readonly scannedBytes: number;
  readonly dollars: number;
}

/** Athena as a run of a command has it. */
export interface AthenaSession {
  /** Backends end with the session. */
  backend(window: Window | null, options?: { readonly locked: boolean }): Promise<AthenaBackend>;
  /** The tables that are set up. */
  deployed(): Promise<readonly DeployedTable[]>;
  /** What each table would cost over a window, by listing its log files. */
  estimate(window: Window, tables: readonly DeployedTable[]): Promise<readonly TableEstimate[]>;
  /** Bytes that earlier statements scanned of each table in a day. */
  rates(): Promise<ReadonlyMap<string, number>>;
  /** The logs below `s3://bucket/prefix`, as tables can be made of them. */
  discover(url: string, options: Pick<DiscoverOptions, 'accounts' | 'regions' | 'since'>): Promise<readonly LogRoot[]>;
  /** Accounts whose logs lie beside those that are set up, by the folder that they lie in. */
  unknownAccounts(): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What has to be done for them; `fresh`: without a look at what is there. */
  plan(roots: readonly LogRoot[], options: { readonly fresh: boolean }): Promise<readonly SetupStep[]>;
  apply(steps: readonly SetupStep[], onStep: (step: SetupStep) => void): Promise<void>;
  /** The limit and the place of results that the workgroup has. */
  workgroup(): Promise<Workgroup>;
  selftest(window: Window): AsyncIterable<Check>;
  compact(options: CompactArchiveOptions): Promise<readonly CompactedTable[]>;
  /** US dollars that Athena takes for a statement that scans so much. */
  price(bytes: number): Promise<number>;
  spent(): Spent;
}

/** `dollars`: US dollars that its statements cost, by the list of the log files. */
export type CompactedTable = CompactResult & { readonly dollars: number };

export interface CompactArchiveOptions {
  /** `s3://bucket/prefix`. */
  readonly target: string;
  /** By name; null for all that have log files. */
  readonly tables: readonly string[] | null;
  /** `YYYY-MM-DD`, in order, one at least. */
  readonly days: readonly string[];
  readonly dryRun: boolean;
  readonly onDay: (table: string, done: number, all: number) => void;
}

export interface AthenaOptions {
  readonly lists: ReadonlyMap<string, readonly Indicator[]>;
  readonly enrichment: Enrichment;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly onProgress?: AthenaBackendOptions['onProgress'];
}

/** Uses Athena as the settings say. Nothing is asked of it before something is. */
export function useAthena<T>(
  { aws, place, maxScanBytes, latenessMs }: AthenaSettings,
  { lists, enrichment, signal, clock = systemClock, onProgress }: AthenaOptions,
  use: (session: AthenaSession) => Promise<T>,
): Promise<T> {
  return withTempDirectory(async (tempDirectory) => {
    const { clientConfig } = await import('../aws.ts');
    const { Session } = await import('../backends/athena/session.ts');
    const session = new Session({
      client: { ...clientConfig(aws), ...(aws.profile !== undefined && { profile: aws.profile }) },
      place,
      maxScanBytes,
      latenessMs,
      tables: TABLES,
      lists: listValues(lists),
      enrichment,
      signal,
      tempDirectory,
      nowMs: () => clock.nowMs(),
      ...(onProgress && { onProgress }),
    });
    const opened: Backend[] = [];
    const interrupt = (): void => opened.forEach((backend) => backend.interrupt());
    signal.addEventListener('abort', interrupt);
    const withFolders = async <R>(work: (folders: Folders) => Promise<R>): Promise<R> => {
      const { openFolders } = await import('../sources/s3-folders.ts');
      const folders = await openFolders(aws);
      try {
        return await work(folders);
      } finally {
        folders.close();
      }
    };
    const priceOf = async (bytes: number): Promise<number> => {
      const { billedBytes, scanDollars } = await import('../backends/athena/cost.ts');
      return scanDollars(billedBytes(bytes));
    };
    try {
      return await use({
        backend: async (window, options) => {
          const backend = await session.backend(window, options);
          opened.push(backend);
          return backend;
        },
        deployed: () => session.deployed(),
        estimate: (window, tables) =>
          withFolders(async (folders) => {
            const { estimateTable } = await import('../backends/athena/estimate.ts');
            const estimates: TableEstimate[] = [];
            for (const table of tables)
              estimates.push(await estimateTable(table, window, { folders, latenessMs: session.latenessMs, signal }));
            return estimates;
          }),
        rates: () => session.rates(),
        discover: (url, options) =>
          withFolders(async (folders) => {
            const { discoverRoots } = await import('../backends/athena/layout.ts');
            const { parseS3Url } = await import('../sources/s3.ts');
            const { bucket, prefix } = parseS3Url(url);
            return discoverRoots(bucket, prefix, { ...options, folders, signal });
          }),
        unknownAccounts: () =>
          withFolders(async (folders) => {
            const { unknownAccounts } = await import('../backends/athena/layout.ts');
            const found = new Map<string, readonly string[]>();
            const roots = (await session.deployed()).flatMap((one) => one.roots);
            for (const location of new Set(roots.map((root) => root.location))) {
              // An account may have logs of one kind and none of another.
              const beside = await Promise.all(
                roots
                  .filter((root) => root.location === location)
                  .map((root) => unknownAccounts(root, { folders, signal })),
              );
              const [first = [], ...others] = beside;
              const unknown = first.filter((account) => others.every((accounts) => accounts.includes(account)));
              if (unknown.length > 0) found.set(location, unknown);
            }
            return found;
          }),
        plan: async (roots, { fresh }) => {
          const { planSetup } = await import('../backends/athena/setup.ts');
          return fresh
            ? planSetup(place.database, TABLES, roots)
            : planSetup(place.database, TABLES, roots, await session.state());
        },
        apply: (steps, onStep) => session.apply(steps, onStep),
        workgroup: () => session.athena.workgroup(signal),
        selftest: async function* (window) {
          const { selftest } = await import('../backends/athena/selftest.ts');
          yield* selftest(session, window, { tempDirectory, signal });
        },
        compact: ({ tables, days, dryRun, onDay, ...options }) =>
          withFolders(async (folders) => {
            const { Compaction } = await import('../backends/athena/compaction.ts');
            const { parquetRows } = await import('../backends/parquet-rows.ts');
            const { compactTable } = await import('../pipeline/compact.ts');
            const { openTarget } = await import('../targets/open.ts');
            const span = { first: days[0] ?? '', last: days.at(-1) ?? '' };
            const target = await openTarget(options.target, aws);
            const into = target.addressOf('');
            try {
              const results: CompactedTable[] = [];
              for (const logs of await session.logTables(tables)) {
                const compaction = await Compaction.open(session, logs, span, { into, folders, signal });
                const { table } = logs;
                const deps: CompactDeps = {
                  target,
                  owner: `athena:${place.catalog}/${place.database}`,
                  filesOf: (of) => compaction.filesOf(of),
                  countedTogether: compaction.countedTogether,
                  count: (of) => compaction.count(of),
                  unload: (day, folder) => compaction.unload(day, folder),
                  rowsOf: (readEnd, name) => parquetRows(readEnd, { name, tempDirectory }),
                  newId: randomUUID,
                };
                const progress = (done: number, all: number): void => onDay(table.name, done, all);
                const result = await compactTable(deps, { table, days, dryRun, signal, onDay: progress });
                const prices = await Promise.all(result.scans.map(priceOf));
                results.push({ ...result, dollars: prices.reduce((sum, price) => sum + price, 0) });
              }
              return results;
            } finally {
              target.close();
            }
          }),
        price: priceOf,
        spent: () => {
          const { statements, reused, scannedBytes, dollars } = session.meter;
          return { statements, reused, scannedBytes, dollars };
        },
      });
    } finally {
      signal.removeEventListener('abort', interrupt);
      for (const backend of opened) await backend.close();
      session.close();
    }
  });
}

/** Runs detectors over an archive on Athena. */
export interface ArchiveHunter {
  readonly detectors: readonly Detector[];
  /** Detectors whose tables are not set up: they are not run. */
  readonly leftOut: readonly Detector[];
  hunt(window: Window): Promise<HuntResult>;
  /** What hunt() would run, as Athena would get it. Of `detectors` only, where they are given. */
  explain(window: Window, detectors?: readonly Detector[]): Promise<readonly (Prepared & { readonly title: string })[]>;
}

/** `deliveredWithinMs`: null for the default. */
export async function openArchiveHunter(
  store: Store | null,
  session: AthenaSession,
  {
    deliveredWithinMs,
    clock = systemClock,
    ...options
  }: HunterOptions & { readonly deliveredWithinMs: number | null; readonly clock?: Clock },
): Promise<ArchiveHunter> {
  const { createEngine } = await import('../detection/planner.ts');
  const { explainArchive, huntArchive } = await import('../pipeline/hunt.ts');
  const { partitionsPerDay, piecesOf } = await import('../backends/athena/scale.ts');
  const { DELIVERY_LATENESS_MS } = await import('../keys.ts');
  const deployed = await session.deployed();
  const isThere = (name: string): boolean => deployed.some(({ table }) => table.name === name);
  const detectors = options.detectors.filter(({ table, reads = [] }) => [table, ...reads].every(isThere));
  const hunt: HuntOptions = { ...options, detectors, lists: namedLists(options.lists) };
  const tables = TABLES.map((table) => ({ table, engine: createEngine(table) }));
  const nowMs = (): number => clock.nowMs();
  const piecesIn =
    (window: Window) =>
    (_: Table, reachMs: number): readonly Window[] => {
      // A detector may read any of them.
      const perDay = Math.max(
        ...deployed.map(({ roots }) => roots.reduce((sum, root) => sum + partitionsPerDay(root), 0)),
      );
      return piecesOf(window, { perDay, reachMs, latenessMs: deliveredWithinMs ?? DELIVERY_LATENESS_MS });
    };
  return {
    detectors,
    leftOut: options.detectors.filter((detector) => !detectors.includes(detector)),
    hunt: (window) => {
      if (store === null) throw new Error('a hunt needs a store for its alerts');
      const deps: HuntDeps = { store, tables, nowMs, openBackend: () => session.backend(window, { locked: false }) };
      return huntArchive(deps, hunt, piecesIn(window));
    },
    explain: async (window, some = detectors) => {
      const backend = await session.backend(null, { locked: false });
      const statements = explainArchive({ tables, nowMs }, { ...hunt, detectors: some }, piecesIn(window));
      const prepared: (Prepared & { readonly title: string })[] = [];
      for (const { title, sql, params, window: reading } of statements)
        prepared.push({ title, ...(await backend.prepare(sql, params, { window: reading })) });
      return prepared;
    },
  };
}

/** What these detectors have judged is known by these. */
export async function archiveKeys(
  options: Pick<HunterOptions, 'detectors' | 'parameters' | 'lists'>,
): Promise<readonly HuntKey[]> {
  const { huntKeys } = await import('../pipeline/hunt.ts');
  return huntKeys({ ...options, lists: namedLists(options.lists) });
}

const namedLists = (lists: ReadonlyMap<string, readonly Indicator[]>): HuntOptions['lists'] =>
  Object.fromEntries(listValues(lists).map(({ name, values }) => [name, values]));

function listValues(lists: ReadonlyMap<string, readonly Indicator[]>) {
  return [...lists].map(([name, indicators]) => ({ name, values: indicators.map(({ value }) => value) }));
}

/** Streams of examples are short: a window of this size holds any of them. */
const EXAMPLE_WINDOW_BYTES = 32 * 1024 * 1024;
const EXAMPLE_MEMORY_MB = 512;

/** The formats by the table that they fill. */
const FORMATS: Readonly<Record<string, () => Promise<Format>>> = {
  cloudtrail: async () => (await import('../formats/cloudtrail.ts')).cloudtrailFormat,
  cloudtrail_insight: async () => (await import('../formats/cloudtrail-insight.ts')).cloudtrailInsightFormat,
  s3_access: async () => (await import('../formats/s3-access.ts')).s3AccessFormat,
  waf: async () => (await import('../formats/waf.ts')).wafFormat,
};

/** Runs the examples of a detector the way real records go: decoder, derived columns, Parquet, engine. */
export async function testExamples(detector: Detector, variants: readonly Variant[] = []): Promise<ExamplesReport> {
  const { createDuckdbBackend } = await import('../backends/duckdb.ts');
  const { createEngine } = await import('../detection/planner.ts');
  const { runExamples } = await import('../detection/examples.ts');
  const table = TABLES.find(({ name }) => name === detector.table);
  if (table === undefined) throw new AppError('detector-invalid', `there is no table ${detector.table}`);
  return withTempDirectory(async (dir) => {
    const writers = new Map<string, Promise<ExampleWriter>>();
    const writerOf = (name: string): Promise<ExampleWriter> => {
      const known = writers.get(name) ?? openExampleWriter(name, dir);
      writers.set(name, known);
      return known;
    };
    const load = async (records: readonly FilledRecord[], enrichment: Enrichment) => {
      const tables: { readonly table: Table; readonly segments: readonly Segment[] }[] = [];
      for (const one of TABLES.filter(({ name }) => name === table.name || detector.reads?.includes(name))) {
        const own = records.filter((record) => record.table === one.name).map(({ record }) => record);
        const lake = mkdtempSync(join(dir, 'lake-'));
        tables.push({ table: one, segments: own.length === 0 ? [] : await (await writerOf(one.name))(own, lake) });
      }
      return createDuckdbBackend({
        tables,
        enrichment,
        portable: true,
        locked: false,
        memoryLimitMb: EXAMPLE_MEMORY_MB,
        threads: 1,
        tempDirectory: dir,
      });
    };
    const closers: (() => Promise<void>)[] = [];
    try {
      return await runExamples(detector, { engine: createEngine(table), load, variants });
    } finally {
      for (const close of closers) await close();
    }

    async function openExampleWriter(name: string, stagingDir: string): Promise<ExampleWriter> {
      const { PRELUDE } = await import('../backends/prelude.ts');
      const { INGEST_LIMITS } = await import('../pipeline/ingest.ts');
      const { createSegmentWriter } = await import('../store/segment-writer.ts');
      const format = await FORMATS[name]?.();
      if (format === undefined) throw new Error(`no format fills the table ${name}`);
      const decoder = await format.createDecoder({
        recordBytes: INGEST_LIMITS.recordBytes,
        windowBytes: EXAMPLE_WINDOW_BYTES,
      });
      const writer = await createSegmentWriter({ table: format.table, stagingDir, name, prelude: PRELUDE });
      closers.push(() => writer.close());
      return (records, lake) => writeExample(records, decoder, writer, lake);
    }
  });
}

/** Writes records of one table as segments below a folder. */
type ExampleWriter = (records: readonly ExampleRecord[], lake: string) => Promise<readonly Segment[]>;

async function writeExample(
  records: readonly ExampleRecord[],
  decoder: Decoder,
  writer: SegmentWriter,
  lake: string,
): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  const take = async () => {
    const batch = decoder.batch();
    const { segments: staged, synced } = await writer.write(batch, Promise.resolve(new Uint8Array(batch.rows)));
    await synced;
    for (const segment of staged) {
      const folder = join(lake, `${PARTITION_COLUMN}=${segment.eventDate}`);
      mkdirSync(folder, { recursive: true });
      const path = join(folder, basename(segment.path));
      renameSync(segment.path, path);
      segments.push({ ...segment, path, seq: 1, schemaVersion: decoder.table.schemaVersion });
    }
    decoder.reset();
  };
  decoder.begin({ logFile: 1, deliveredDay: Math.floor(Date.now() / DAY_MS), ingestedAtMs: Date.now() });
  let rest: Uint8Array = Buffer.from(
    records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\n`).join(''),
  );
  for (;;) {
    const part = rest.subarray(0, decoder.roomBytes());
    rest = rest.subarray(part.length);
    if (decoder.push(part, rest.length === 0) === 'full') await take();
    else if (rest.length === 0) break;
  }
  const { rejects } = decoder.end();
  if (rejects[0] !== undefined)
    throw new AppError('detector-invalid', `a record of an example is not valid: ${rejects[0].detail}`);
  await take();
  return segments;
}

export type { LintProblem, LintRule } from '../detection/lint.ts';

/** The kinds of problems that lint tells of, and what each means. */
export async function lintRules(): Promise<Readonly<Record<LintRule, string>>> {
  const { LINT_RULES } = await import('../detection/lint.ts');
  return LINT_RULES;
}

/** What there is in a store for detectors to look at. */
export interface Held {
  /** Tables with events. */
  readonly tables: ReadonlySet<string>;
  /** Types of resources whose data events are there, such as `AWS::S3::Object`. */
  readonly dataEvents: ReadonlySet<string>;
}

export async function heldIn(store: LocalStore): Promise<Held> {
  const { dataEventType } = await import('../detection/silence.ts');
  const { tables } = await store.status();
  const filled = new Set(tables.filter(({ rows }) => rows > 0).map(({ name }) => name));
  const dataEvents = new Set<string>();
  if (filled.has(cloudtrailTable.name)) {
    await useBackend(store, { portable: true, lists: new Map(), enrichment: NO_CONTEXT }, async (backend) => {
      const { rows } = await backend.query(
        'SELECT DISTINCT lower(event_source) AS source, lower(event_name) AS name FROM cloudtrail',
      );
      for (const { source, name } of rows) {
        const type = typeof source === 'string' && typeof name === 'string' ? dataEventType(source, name) : null;
        if (type !== null) dataEvents.add(type);
      }
    });
  }
  return { tables: filled, dataEvents };
}

/** Files of facts/ by what they tell. */
const FACTS = { events: 'facts/event-names.txt', techniques: 'facts/attack.txt' };

/** The techniques of ATT&CK, by number. */
export async function attackTechniques(): Promise<LintContext['techniques']> {
  const { parseTechniques } = await import('../detection/facts.ts');
  return parseTechniques(readFileSync(packageFile(FACTS.techniques), 'utf8'));
}

/** Looks detectors over, `all` being those whose examples show what records look like. */
export async function useLinter<T>(
  all: readonly Detector[],
  lists: ReadonlyMap<string, readonly Indicator[]>,
  use: (lint: (detector: Detector) => Promise<readonly LintProblem[]>) => Promise<T>,
): Promise<T> {
  const { createDuckdbBackend } = await import('../backends/duckdb.ts');
  const { createEngine } = await import('../detection/planner.ts');
  const { samplesOf } = await import('../detection/example-records.ts');
  const { knownIn } = await import('../detection/examples.ts');
  const { parseEventNames } = await import('../detection/facts.ts');
  const { lint, runProblems } = await import('../detection/lint.ts');
  const events = parseEventNames(readFileSync(packageFile(FACTS.events), 'utf8'));
  const techniques = await attackTechniques();
  const values = listValues(lists);
  const byName = Object.fromEntries(values.map((list) => [list.name, list.values]));
  const seen = all.flatMap((detector) =>
    detector.examples.flatMap((example) =>
      samplesOf(example, detector.table).map((record) => ({ detector, ...record })),
    ),
  );
  return withTempDirectory(async (tempDirectory) => {
    const backend = await createDuckdbBackend({
      tables: TABLES.map((table) => ({ table, segments: [] })),
      lists: values,
      enrichment: knownIn({}),
      portable: true,
      locked: false,
      memoryLimitMb: EXAMPLE_MEMORY_MB,
      threads: 1,
      tempDirectory,
    });
    try {
      return await use(async (detector) => {
        const table = TABLES.find(({ name }) => name === detector.table);
        if (table === undefined) throw new AppError('detector-invalid', `there is no table ${detector.table}`);
        const others = seen.filter((one) => one.table === table.name && one.detector.id !== detector.id);
        const context = {
          table: inContext(table),
          lists: byName,
          events,
          techniques,
          seen: others.map(({ record }) => record),
        };
        const problems = lint(detector, context);
        if (problems.some(({ rule, level }) => level === 'error' && (rule === 'unusable' || rule === 'regex')))
          return problems;
        return [...problems, ...(await runProblems(detector, { engine: createEngine(table), backend, lists: byName }))];
      });
    } finally {
      await backend.close();
    }
  });
}

const LIST_COLUMNS: readonly Pick<Column, 'name' | 'type' | 'doc'>[] = [
  { name: 'value', type: 'VARCHAR', doc: 'An address, network, access key, ARN or user agent.' },
];

/** A table or view as a person sees it. */
export interface SqlTable {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly doc: string }[];
}

/** CloudTrail's events as CloudTrail Lake shows them. */
export const LAKE: SqlTable = {
  name: LAKE_VIEW,
  doc: "The events of `cloudtrail` under the names and types of a CloudTrail Lake event data store, so that queries written for one run as they are, but for what follows FROM: with `--portable`, which knows Lake's functions.",
  columns: LAKE_COLUMNS,
};

const KNOWN_ACCOUNT: SqlTable = {
  name: ACCOUNT_TABLE,
  doc: 'The accounts of the file that the config names.',
  columns: ACCOUNT_COLUMNS,
};

/** All that a statement can read, for help and completion. */
export function sqlTables(config: Config): readonly SqlTable[] {
  const lists = Object.entries(config.lists).map(([name, file]) => ({
    name: `list_${name}`,
    doc: `The lines of ${file}.`,
    columns: LIST_COLUMNS,
  }));
  const { mmdb, aws_ranges: ranges, networks, threats, accounts: file } = config.enrichment;
  const isKnown = [mmdb.country, mmdb.asn, ranges, file].some((path) => path !== undefined);
  const isEnriched = isKnown || Object.keys(networks).length + threats.length > 0;
  const seen = (table: Table): SqlTable => (isEnriched ? inContext(table) : table);
  const accounts = config.enrichment.accounts === undefined ? [] : [KNOWN_ACCOUNT];
  return [...TABLES.map(seen), LAKE, ...CATALOG_TABLES, ...accounts, ...lists];
}
