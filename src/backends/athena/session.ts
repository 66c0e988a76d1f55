/** Athena as it is set up in one database: what is there, what it may cost, and backends over it. */
import type { AthenaClientConfig } from '@aws-sdk/client-athena';
import type { Enrichment } from '../../enrichment.ts';
import { AppError } from '../../errors.ts';
import { DELIVERY_LATENESS_MS } from '../../keys.ts';
import type { Table } from '../../table.ts';
import type { Window } from '../../time.ts';
import { LAKE_VIEW } from '../lake.ts';
import { AthenaBackend, type AthenaBackendOptions } from './backend.ts';
import { Athena, type AthenaPlace } from './client.ts';
import { ScanMeter } from './cost.ts';
import { deliveredName, deliveredView, type LogRoot, rawRelation, rootOf } from './ddl.ts';
import { bytesPerDay } from './estimate.ts';
import { missingTable } from './rehearsal.ts';
import { type DeployedTable, deployedTables, type SetupState, type SetupStep } from './setup.ts';
import type { RawRelation } from './views.ts';

export interface SessionOptions {
  readonly client: AthenaClientConfig;
  readonly place: AthenaPlace;
  /** Null for no limit. */
  readonly maxScanBytes: number | null;
  /** Null for the default. */
  readonly latenessMs: number | null;
  /** All tables that trailhound has. */
  readonly tables: readonly Table[];
  readonly lists: AthenaBackendOptions['lists'];
  readonly enrichment: Enrichment;
  readonly signal: AbortSignal;
  readonly tempDirectory: string;
  readonly nowMs: () => number;
  readonly onProgress?: AthenaBackendOptions['onProgress'];
}

/** A table that is made of log files, and its raw tables. */
export interface LogTable {
  readonly table: Table;
  readonly logs: readonly { readonly raw: RawRelation; readonly root: LogRoot }[];
}

export class Session {
  readonly athena: Athena;
  readonly meter: ScanMeter;
  readonly latenessMs: number;
  readonly #options: SessionOptions;
  #deployed: readonly DeployedTable[] | null = null;
  #rates: Promise<ReadonlyMap<string, number>> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.athena = new Athena(options.client, options.place);
    this.meter = new ScanMeter(options.maxScanBytes);
    this.latenessMs = options.latenessMs ?? DELIVERY_LATENESS_MS;
  }

  /** The logical tables that are set up. Throws `athena-missing` where there are none. */
  async deployed(): Promise<readonly DeployedTable[]> {
    if (this.#deployed !== null) return this.#deployed;
    const { tables, signal, place } = this.#options;
    const found = deployedTables(tables, (await this.athena.entries(signal)) ?? []);
    if (found.length === 0) {
      throw new AppError('athena-missing', `the database ${place.database} has no tables of trailhound`, {
        hint: 'Run `trailhound athena setup s3://bucket/prefix --apply` with the place of your log files, or name another --database.',
      });
    }
    this.#deployed = found;
    return found;
  }

  /** One of them. Throws `athena-missing`. */
  async deployedTable(name: string): Promise<DeployedTable> {
    const found = (await this.deployed()).find(({ table }) => table.name === name);
    if (found === undefined) throw missingTable(name);
    return found;
  }

  /** The tables that are made of log files: those of these names, or all. Throws `athena-missing` for one that is not, and where there is none. */
  async logTables(names: readonly string[] | null): Promise<readonly LogTable[]> {
    const { tables, signal, place } = this.#options;
    const entries = (await this.athena.entries(signal)) ?? [];
    const found = tables.flatMap((table) => {
      const logs = entries.flatMap((entry) => {
        const root = rootOf(entry);
        return root?.table === table.name && root.isExport !== true
          ? [{ raw: rawRelation(place.database, entry.name, root), root }]
          : [];
      });
      return logs.length === 0 ? [] : [{ table, logs }];
    });
    const missing = names?.find((name) => !found.some(({ table }) => table.name === name));
    if (missing !== undefined) throw missingTable(missing);
    if (found.length > 0) return found.filter(({ table }) => names?.includes(table.name) ?? true);
    throw new AppError('athena-missing', `the database ${place.database} has no tables of log files`, {
      hint: 'Run `trailhound athena setup s3://bucket/prefix --apply` with the place of your log files, or name another --database.',
    });
  }

  /** What earlier statements of the workgroup scanned of each table in a day; nothing where it may not be asked. */
  rates(): Promise<ReadonlyMap<string, number>> {
    this.#rates ??= this.athena.history(this.#options.signal).then(bytesPerDay, (error: unknown) => {
      if (error instanceof AppError && error.code !== 'interrupted') return new Map<string, number>();
      throw error;
    });
    return this.#rates;
  }

  /** `window`: what statements see that come without one of their own. */
  async backend(window: Window | null, { reuses = true, locked = true } = {}): Promise<AthenaBackend> {
    const { lists, enrichment, nowMs, tempDirectory, tables: known, onProgress } = this.#options;
    const isLimited = this.meter.maxBytes !== null;
    const [tables, rates] = await Promise.all([this.deployed(), isLimited ? this.rates() : new Map<string, number>()]);
    return new AthenaBackend({
      athena: this.athena,
      meter: this.meter,
      tables,
      known,
      lists,
      enrichment,
      window,
      latenessMs: this.latenessMs,
      bytesPerDay: rates,
      reuses,
      locked,
      nowMs,
      tempDirectory,
      ...(onProgress && { onProgress }),
    });
  }

  /** The view with a row for each record that was delivered. */
  delivered(table: Table): string {
    return deliveredView(this.#options.place.database, table);
  }

  /** What is there now, for planSetup(). */
  async state(): Promise<SetupState> {
    const { tables, signal } = this.#options;
    const entries = await this.athena.entries(signal);
    const names = [...tables.flatMap(({ name }) => [name, deliveredName(name)]), LAKE_VIEW];
    const views = new Map<string, string>();
    for (const { name, isView } of entries ?? []) {
      if (!isView || !names.includes(name)) continue;
      const { rows } = await this.#run(`SHOW CREATE VIEW ${this.#options.place.database}.${name}`);
      views.set(name, rows.map(([line = '']) => line).join('\n'));
    }
    return { entries, views };
  }

  /** Runs the statements of these steps, in order. */
  async apply(steps: readonly SetupStep[], onStep: (step: SetupStep) => void): Promise<void> {
    for (const step of steps) {
      if (step.statements.length > 0) onStep(step);
      for (const statement of step.statements) await this.#run(statement, !statement.startsWith('CREATE DATABASE'));
    }
    this.#deployed = null;
  }

  close(): void {
    this.athena.close();
  }

  #run(statement: string, inDatabase = true): ReturnType<Athena['answer']> {
    return this.athena.answer(statement, { meter: this.meter, signal: this.#options.signal, inDatabase });
  }
}
