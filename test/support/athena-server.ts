/**
 * An Athena on loopback that speaks the protocol of the real one (JSON 1.1), so that the real client talks to it. Behind it DuckDB runs the statements, over log files of a
 * folder that stands for a bucket: tables are made by the DDL that they get, rows read by its types, partitions found by its projection. It fails when and how it is told.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance, type DuckDBType } from '@duckdb/node-api';
import type { Value } from '../../src/backend.ts';
import { LAKE_LOCAL_COLUMN, lakeColumns } from '../../src/backends/lake.ts';
import { toDuckdb, tokensOf } from '../../src/backends/lexer.ts';
import { PRELUDE } from '../../src/backends/prelude.ts';
import { fromDuckdb } from '../../src/backends/values.ts';
import { openBuckets } from './athena-buckets.ts';

/** What goes wrong, once each, with the next request or statement that it fits. */
export type AthenaFault =
  /** The request is refused so. */
  | { readonly on: string; readonly error: string; readonly message?: string; readonly status?: number }
  /** The request gets no answer: its connection ends. */
  | { readonly on: string; readonly drop: true }
  /** A statement ends so instead of being run. */
  | {
      readonly on: 'run';
      readonly state: 'FAILED' | 'CANCELLED';
      readonly reason: string;
      readonly category?: number;
      readonly retryable?: boolean;
    }
  /** A statement takes so long, and scans so much at each look. */
  | { readonly on: 'run'; readonly slowMs: number; readonly scanEachLook?: number }
  /** A value of the result is another text. */
  | { readonly on: 'result'; readonly value: string }
  /** UNLOAD fails when its files are written, which stay. */
  | { readonly on: 'unload'; readonly reason: string; readonly category: number }
  /** UNLOAD writes but the rows for which this holds. */
  | { readonly on: 'unload'; readonly where: string };

export interface AthenaRequest {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface AthenaServer {
  readonly url: string;
  readonly requests: readonly AthenaRequest[];
  readonly faults: AthenaFault[];
  /** Texts of the statements that were started, in order. */
  statements(): readonly string[];
  /** Makes tables without DDL: plain DuckDB SQL. */
  run(sql: string): Promise<void>;
  /** Log files have come or gone: tables are read anew. */
  reread(): Promise<void>;
  close(): Promise<void>;
}

interface Statement {
  readonly id: string;
  readonly text: string;
  readonly database: string | undefined;
  state: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  reason: string | undefined;
  category: number | undefined;
  retryable: boolean | undefined;
  looks: number;
  scanned: number;
  scanEachLook: number;
  reused: boolean;
  isSelect: boolean;
  columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly precision?: number;
    readonly scale?: number;
  }[];
  rows: readonly (readonly (string | null)[])[];
  connection: DuckDBConnection | null;
}

interface Entry {
  readonly name: string;
  readonly isView: boolean;
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly keys: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** As SHOW CREATE VIEW has it. */
  readonly text: string;
  /** Of a raw table: its DDL, and its files, with the day of each. */
  readonly ddl: string;
  files: readonly { readonly day: string; readonly bytes: number }[];
}

export interface AthenaServerOptions {
  /** What lies in buckets: a folder for each. */
  readonly buckets?: Readonly<Record<string, string>>;
  /** An S3 for what is written there by UNLOAD, and for exports that are read. */
  readonly s3Url?: string;
  readonly cutoffBytes?: number;
}

export async function startAthena({
  buckets = {},
  s3Url,
  cutoffBytes,
}: AthenaServerOptions = {}): Promise<AthenaServer> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const main = await instance.connect();
  for (const statement of [...PRELUDE, ...BEYOND_PRELUDE]) await main.run(statement);
  const scratch = mkdtempSync(join(tmpdir(), 'athena-'));
  const bucketAt = s3Url === undefined ? null : openBuckets(s3Url, scratch);
  const requests: AthenaRequest[] = [];
  const faults: AthenaFault[] = [];
  const statements = new Map<string, Statement>();
  const tokens = new Map<string, string>();
  const databases = new Map<string, Map<string, Entry>>();

  const takeFault = (fits: (fault: AthenaFault) => boolean): AthenaFault | undefined => {
    const at = faults.findIndex(fits);
    return at < 0 ? undefined : faults.splice(at, 1)[0];
  };

  async function execute(statement: Statement): Promise<void> {
    const fault = takeFault((one) => one.on === 'run');
    if (fault !== undefined && 'slowMs' in fault) {
      statement.scanEachLook = fault.scanEachLook ?? 0;
      await new Promise((resolve) => setTimeout(resolve, fault.slowMs));
    }
    if (statement.state === 'CANCELLED') return;
    if (fault !== undefined && 'state' in fault) {
      Object.assign(statement, {
        state: fault.state,
        reason: fault.reason,
        category: fault.category,
        retryable: fault.retryable,
      });
      return;
    }
    statement.state = 'RUNNING';
    try {
      await answer(statement);
      if ((statement.state as string) !== 'CANCELLED') statement.state = 'SUCCEEDED';
    } catch (error) {
      if ((statement.state as string) === 'CANCELLED') return;
      if (error instanceof StatementFailure) {
        Object.assign(statement, { state: 'FAILED', reason: error.message, category: error.category });
        return;
      }
      const message = (error as Error).message;
      Object.assign(statement, { state: 'FAILED', reason: `SYNTAX_ERROR: ${message}`, category: 2 });
    }
  }

  async function answer(statement: Statement): Promise<void> {
    const text = statement.text.trim();
    const made = /^CREATE DATABASE IF NOT EXISTS `(\w+)`$/iu.exec(text);
    if (made?.[1] !== undefined) {
      databases.set(made[1], databases.get(made[1]) ?? new Map());
      await main.run(`CREATE SCHEMA IF NOT EXISTS "${made[1]}"`);
      return;
    }
    const dropped = /^DROP TABLE `(\w+)`\.`(\w+)`$/iu.exec(text);
    if (dropped !== null) {
      databases.get(dropped[1] ?? '')?.delete(dropped[2] ?? '');
      await main.run(`DROP TABLE "${dropped[1]}"."${dropped[2]}"`);
      return;
    }
    if (/^CREATE EXTERNAL TABLE/iu.test(text)) return createTable(text);
    const view = /^CREATE OR REPLACE VIEW "(\w+)"\."(\w+)" AS\s([\s\S]*)$/iu.exec(text);
    if (view !== null) return createView(view[1] ?? '', view[2] ?? '', view[3] ?? '');
    const shown = /^SHOW CREATE VIEW (\w+)\.(\w+)$/iu.exec(text);
    if (shown !== null) {
      const entry = databases.get(shown[1] ?? '')?.get(shown[2] ?? '');
      if (entry === undefined) throw new Error('view not found');
      statement.columns = [{ name: 'Create View', type: 'varchar' }];
      statement.rows = entry.text.split('\n').map((line) => [line]);
      return;
    }
    const unloaded =
      /^UNLOAD \(\n([\s\S]*)\n\)\nTO '(s3:[^']+)'\nWITH \(format = 'PARQUET', compression = 'ZSTD'\)$/u.exec(text);
    if (unloaded !== null) {
      statement.isSelect = true;
      return unload(statement, unloaded[1] ?? '', unloaded[2] ?? '');
    }
    if (!/^(?:--[^\n]*\n|\s)*(?:SELECT|WITH|VALUES|\()/iu.test(text))
      throw new Error(`mismatched input '${text.split(/\s/u)[0]}'`);
    statement.isSelect = true;
    const connection = await instance.connect();
    statement.connection = connection;
    try {
      if (statement.database !== undefined && databases.has(statement.database))
        await connection.run(`USE "${statement.database}"`);
      const result = await connection.run(dialect(text));
      const types = result.columnTypes();
      const names = result.deduplicatedColumnNames();
      statement.columns = names.map((name, at) => ({ name, ...columnType(types[at] as DuckDBType) }));
      const rows: (readonly (string | null)[])[] = [];
      for await (const batch of result.yieldRows())
        for (const row of batch)
          rows.push(
            row.map((value, at) => textOf(fromDuckdb(value, types[at] as DuckDBType), types[at] as DuckDBType)),
          );
      const wrong = takeFault((one) => one.on === 'result');
      if (wrong !== undefined && 'value' in wrong) rows[0] = [wrong.value, ...(rows[0] ?? []).slice(1)];
      statement.rows = rows;
      statement.scanned += scannedBy(text, statement.database);
    } finally {
      statement.connection = null;
      connection.closeSync();
    }
  }

  /** In two files, as several workers would; refused where something lies there. */
  async function unload(statement: Statement, select: string, location: string): Promise<void> {
    if (bucketAt === null) throw new Error('there is no S3 to write to');
    if ((await bucketAt.list(location)).length > 0) throw new Error(`HIVE_PATH_ALREADY_EXISTS: ${location}`);
    const fault = takeFault((one) => one.on === 'unload');
    const connection = await instance.connect();
    statement.connection = connection;
    try {
      const where = fault !== undefined && 'where' in fault ? fault.where : 'true';
      const rows = `SELECT *, row_number() OVER () % 2 AS part FROM (${dialect(select)}) WHERE ${where}`;
      await connection.run(`CREATE OR REPLACE TEMP TABLE unloaded AS ${rows}`);
      for (const part of [0, 1]) {
        const file = join(scratch, `${randomUUID()}.parquet`);
        await connection.run(
          `COPY (SELECT * EXCLUDE part FROM unloaded WHERE part = ${part}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`,
        );
        await bucketAt.put(`${location}${randomUUID()}`, file);
      }
      statement.scanned += scannedBy(select, statement.database);
      if (fault !== undefined && 'reason' in fault)
        throw new StatementFailure(fault.reason, 'category' in fault ? fault.category : undefined);
    } finally {
      statement.connection = null;
      connection.closeSync();
    }
  }

  /** Bytes of the files that the filters by day leave. */
  function scannedBy(text: string, database: string | undefined): number {
    let bytes = 0;
    const [, from = '0000', to = '9999'] = /day BETWEEN '([^']+)' AND '([^']+)'/u.exec(text) ?? [];
    for (const [, name = ''] of text.matchAll(/FROM "\w+"\."(\w+_raw(?:_\d+)?)"/gu))
      for (const file of databases.get(database ?? '')?.get(name)?.files ?? [])
        if (file.day >= from && file.day <= to) bytes += file.bytes;
    for (const [, name = '', after = ''] of text.matchAll(/"(\w+)_delivered"([\s\S]{0,80})/gu)) {
      const [, first = '0000', last = '9999'] = /day BETWEEN '([^']+)' AND '([^']+)'/u.exec(after) ?? [];
      for (const [raw, { files }] of databases.get(database ?? '') ?? []) {
        if (!raw.startsWith(`${name}_raw`)) continue;
        for (const file of files) if (file.day >= first && file.day <= last) bytes += file.bytes;
      }
    }
    return bytes;
  }

  async function createTable(text: string): Promise<void> {
    const [, database = '', name = ''] = /^CREATE EXTERNAL TABLE `(\w+)`\.`(\w+)`/iu.exec(text) ?? [];
    if (databases.get(database)?.has(name)) throw new Error(`Table ${name} already exists`);
    const body = /\(\n([\s\S]*?)\n\)/u.exec(text)?.[1] ?? '';
    const columns = [...body.matchAll(/^ {2}`(\w+)` (\S+?),?$/gmu)].map(
      ([, column = '', type = '']) => [column, type] as const,
    );
    const keys = [...(/PARTITIONED BY \(([^)]*)\)/u.exec(text)?.[1] ?? '').matchAll(/`(\w+)` string/gu)].map(
      ([, key = '']) => key,
    );
    const parameters = Object.fromEntries(
      [...(/TBLPROPERTIES \(([\s\S]*)\)$/u.exec(text)?.[1] ?? '').matchAll(/'([^']*)' = '([^']*)'/gu)].map(
        ([, key = '', value = '']) => [key, value],
      ),
    );
    const location = /^LOCATION '([^']*)'$/mu.exec(text)?.[1] ?? '';
    const types = new Map(columns.map(([column, type]) => [column, hiveType(type)]));
    const duckdb = [...types].map(([column, type]) => `"${column}" ${duckdbType(type)}`);
    await main.run(
      `CREATE TABLE "${database}"."${name}" (${[...duckdb, ...keys.map((key) => `"${key}" VARCHAR`), '"$path" VARCHAR'].join(', ')})`,
    );
    const entry: Entry = {
      name,
      isView: false,
      columns,
      keys,
      parameters: { ...parameters, location: location.replace(/\/$/u, ''), EXTERNAL: 'TRUE' },
      text: '',
      ddl: text,
      files: [],
    };
    databases.get(database)?.set(name, entry);
    await readFiles(database, entry);
  }

  async function readFiles(database: string, entry: Entry): Promise<void> {
    const { name, columns, keys, parameters, ddl } = entry;
    const location = /^LOCATION '([^']*)'$/mu.exec(ddl)?.[1] ?? '';
    await main.run(`DELETE FROM "${database}"."${name}"`);
    if (ddl.includes('SymlinkTextInputFormat')) {
      for (const { day, files } of (await bucketAt?.lists(location)) ?? [])
        await main.run(
          `INSERT INTO "${database}"."${name}" BY NAME SELECT ${columns.map(([column]) => `"${column}"`).join(', ')}, '${day}' AS day FROM read_parquet([${files.map((file) => `'${file}'`).join(', ')}], union_by_name = true)`,
        );
      return;
    }
    const types = new Map(columns.map(([column, type]) => [column, hiveType(type)]));
    const pattern = /'input\.regex' = '([^']*)'/u.exec(ddl)?.[1]?.replaceAll('\\\\', '\\');
    const files = filesOf(location, parameters, keys);
    const rows = files.flatMap(({ path, url, partition }) =>
      recordsOf(
        path,
        columns.map(([column]) => column),
        pattern,
      ).map((record) => ({ ...rowOf(record, types), ...partition, $path: url })),
    );
    if (rows.length > 0) {
      const file = join(scratch, `${randomUUID()}.json`);
      writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const all = [...types].map(([column, type]) => `'${column}': '${duckdbType(type)}'`);
      const typed = [...all, ...keys.map((key) => `'${key}': 'VARCHAR'`), "'$path': 'VARCHAR'"].join(', ');
      await main.run(
        `INSERT INTO "${database}"."${name}" BY NAME SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {${typed}}, maximum_object_size = 67108864)`,
      );
    }
    entry.files = files.map(({ partition, bytes }) => ({ day: partition['day'] ?? '', bytes }));
  }

  /** The log files of a table: all below its location, or those that its projection leads to, with what their folders say. */
  function filesOf(
    location: string,
    parameters: Readonly<Record<string, string>>,
    keys: readonly string[],
  ): readonly { path: string; url: string; bytes: number; partition: Record<string, string> }[] {
    const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/u.exec(location) ?? [];
    const root = buckets[bucket];
    if (root === undefined) return [];
    const template = parameters['storage.location.template'];
    const allowed = new Map(keys.map((key) => [key, new Set(parameters[`projection.${key}.values`]?.split(','))]));
    const pattern =
      template === undefined
        ? null
        : new RegExp(
            `^${template.replaceAll(/[.*+?^()|[\]\\]/gu, '\\$&').replaceAll(/\$\{(\w+)\}/gu, (_, key: string) => (key === 'day' ? '(?<day>\\d{4}/\\d\\d/\\d\\d)' : `(?<${key}>.+?)`))}`,
            'u',
          );
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => join(root, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => ({ path, url: `s3://${bucket}/${relative(root, path).split(sep).join('/')}` }))
      .filter(({ url }) => url.startsWith(`s3://${bucket}/${prefix}`))
      .flatMap(({ path, url }) => {
        const partition = pattern === null ? {} : pattern.exec(url)?.groups;
        if (partition === undefined) return [];
        const isProjected = Object.entries(partition).every(
          ([key, value]) => key === 'day' || allowed.get(key)?.has(value),
        );
        return isProjected ? [{ path, url, bytes: statSync(path).size, partition: { ...partition } }] : [];
      });
  }

  async function createView(database: string, name: string, sql: string): Promise<void> {
    await main.run(`USE "${database}"`);
    await main.run(`CREATE OR REPLACE VIEW "${database}"."${name}" AS ${dialect(sql)}`);
    await main.run('USE memory.main');
    const columns = await main.runAndReadAll(`DESCRIBE "${database}"."${name}"`);
    databases.get(database)?.set(name, {
      name,
      isView: true,
      columns: columns.getRows().map(([column, type]) => [String(column), String(type).toLowerCase()] as const),
      keys: [],
      parameters: { presto_view: 'true', comment: 'Presto View' },
      // Athena keeps a view as it prints what it parsed: other blanks, other case, the same literals.
      text: `CREATE VIEW ${database}.${name} AS\n${tokensOf(sql)
        .map(({ kind, text }) => (kind === 'other' ? text.replaceAll(/\s+/gu, '\n  ') : text))
        .join('')}`,
      ddl: '',
      files: [],
    });
  }

  function handle(operation: string, input: Record<string, unknown>): unknown {
    switch (operation) {
      case 'StartQueryExecution': {
        const token = String(input['ClientRequestToken']);
        const known = tokens.get(token);
        if (known !== undefined) return { QueryExecutionId: known };
        const context = (input['QueryExecutionContext'] ?? {}) as Record<string, string>;
        const text = String(input['QueryString']);
        if (Buffer.byteLength(text) > 262_144) throw new Refusal('InvalidRequestException', 'Query string is too long');
        const reuse = JSON.stringify(input['ResultReuseConfiguration'] ?? {}).includes('"Enabled":true');
        const former = reuse
          ? [...statements.values()].find(
              (one) => one.text === text && one.state === 'SUCCEEDED' && one.database === context['Database'],
            )
          : undefined;
        const statement: Statement = {
          id: randomUUID(),
          text,
          database: context['Database'],
          state: 'QUEUED',
          reason: undefined,
          category: undefined,
          retryable: undefined,
          looks: 0,
          scanned: 0,
          scanEachLook: 0,
          reused: former !== undefined,
          isSelect: false,
          columns: [],
          rows: [],
          connection: null,
        };
        statements.set(statement.id, statement);
        tokens.set(token, statement.id);
        if (former === undefined) void execute(statement);
        else
          Object.assign(statement, {
            state: 'SUCCEEDED',
            isSelect: former.isSelect,
            columns: former.columns,
            rows: former.rows,
          });
        return { QueryExecutionId: statement.id };
      }
      case 'GetQueryExecution':
        return { QueryExecution: described(find(input)) };
      case 'StopQueryExecution': {
        const statement = find(input);
        if (statement.state === 'QUEUED' || statement.state === 'RUNNING') {
          statement.state = 'CANCELLED';
          statement.reason = 'Query cancelled by user';
          statement.connection?.interrupt();
        }
        return {};
      }
      case 'GetQueryResults': {
        const statement = find(input);
        if (statement.state !== 'SUCCEEDED')
          throw new Refusal(
            'InvalidRequestException',
            `Query did not finish successfully. Final query state: ${statement.state}`,
          );
        const header = statement.columns.map(({ name }) => name);
        const all = statement.isSelect ? [header, ...statement.rows] : statement.rows;
        const start = Number(input['NextToken'] ?? 0);
        const size = Math.min(Number(input['MaxResults'] ?? 1000), 1000);
        return {
          ResultSet: {
            ResultSetMetadata: {
              ColumnInfo: statement.columns.map(({ name, type, precision, scale }) => ({
                Name: name,
                Label: name,
                Type: type,
                Precision: precision ?? 0,
                Scale: scale ?? 0,
              })),
            },
            Rows: all
              .slice(start, start + size)
              .map((row) => ({ Data: row.map((value) => (value === null ? {} : { VarCharValue: value })) })),
          },
          ...(start + size < all.length && { NextToken: String(start + size) }),
        };
      }
      case 'ListTableMetadata': {
        const entries = databases.get(String(input['DatabaseName']));
        if (entries === undefined)
          throw new Refusal('MetadataException', `Database ${String(input['DatabaseName'])} not found`);
        const all = [...entries.values()];
        const start = Number(input['NextToken'] ?? 0);
        // Pages of two, so that paging is always tried.
        return {
          TableMetadataList: all.slice(start, start + 2).map((entry) => ({
            Name: entry.name,
            TableType: entry.isView ? 'VIRTUAL_VIEW' : 'EXTERNAL_TABLE',
            Columns: entry.columns.map(([name, type]) => ({ Name: name, Type: type })),
            PartitionKeys: entry.keys.map((name) => ({ Name: name, Type: 'string' })),
            Parameters: entry.parameters,
          })),
          ...(start + 2 < all.length && { NextToken: String(start + 2) }),
        };
      }
      case 'GetWorkGroup':
        return {
          WorkGroup: {
            Name: input['WorkGroup'],
            Configuration: {
              ResultConfiguration: { OutputLocation: 's3://results/' },
              ...(cutoffBytes !== undefined && { BytesScannedCutoffPerQuery: cutoffBytes }),
            },
          },
        };
      case 'ListQueryExecutions':
        return { QueryExecutionIds: [...statements.keys()].toReversed().slice(0, 50) };
      case 'BatchGetQueryExecution':
        return {
          QueryExecutions: (input['QueryExecutionIds'] as string[]).map((id) =>
            described(find({ QueryExecutionId: id }), false),
          ),
        };
      default:
        throw new Refusal('InvalidRequestException', `unknown operation ${operation}`);
    }
  }

  function find(input: Record<string, unknown>): Statement {
    const statement = statements.get(String(input['QueryExecutionId']));
    if (statement === undefined)
      throw new Refusal('InvalidRequestException', `QueryExecution ${String(input['QueryExecutionId'])} was not found`);
    return statement;
  }

  function described(statement: Statement, isLook = true): unknown {
    if (isLook && (statement.state === 'QUEUED' || statement.state === 'RUNNING')) {
      statement.looks += 1;
      statement.scanned += statement.scanEachLook;
    }
    return {
      QueryExecutionId: statement.id,
      Query: statement.text,
      StatementType: statement.isSelect ? 'DML' : 'DDL',
      QueryExecutionContext: { Database: statement.database },
      Status: {
        State: statement.state,
        ...(statement.reason !== undefined && { StateChangeReason: statement.reason }),
        ...(statement.category !== undefined && {
          AthenaError: {
            ErrorCategory: statement.category,
            ErrorType: 1,
            Retryable: statement.retryable ?? false,
            ErrorMessage: statement.reason,
          },
        }),
      },
      Statistics: {
        DataScannedInBytes: statement.scanned,
        EngineExecutionTimeInMillis: 1,
        ResultReuseInformation: { ReusedPreviousResult: statement.reused },
      },
    };
  }

  const server = createServer((request, response) => void respond(request, response));
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operation = String(request.headers['x-amz-target']).replace('AmazonAthena.', '');
    const input = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as Record<string, unknown>;
    requests.push({ operation, input });
    const fault = takeFault((one) => one.on === operation);
    if (fault !== undefined && 'drop' in fault) {
      request.socket.destroy();
      return;
    }
    try {
      if (fault !== undefined && 'error' in fault)
        throw new Refusal(fault.error, fault.message ?? fault.error, fault.status);
      send(response, 200, handle(operation, input));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(response, error.status, { __type: error.type, Message: error.message, message: error.message });
    }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    faults,
    statements: () => [...statements.values()].map(({ text }) => text),
    run: async (sql) => void (await main.run(sql)),
    reread: async () => {
      for (const [database, entries] of databases)
        for (const entry of entries.values()) if (!entry.isView) await readFiles(database, entry);
    },
    close: async () => {
      bucketAt?.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      main.closeSync();
      instance.closeSync();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

class StatementFailure extends Error {
  readonly category: number | undefined;
  constructor(reason: string, category: number | undefined) {
    super(reason);
    this.category = category;
  }
}

class Refusal extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
  response.end(JSON.stringify(body));
}

/** Functions of Trino that only the views use. */
const BEYOND_PRELUDE = [
  "CREATE MACRO parse_datetime(s, f) AS CASE f WHEN 'dd/MMM/yyyy:HH:mm:ss Z' THEN strptime(s, '%d/%b/%Y:%H:%M:%S %z') END",
];

/** The view `lake` in the words of DuckDB, without the column that only the store has: its form for Athena runs on Trino in test/trino/lake.test.ts. */
const LAKE_HERE = lakeColumns('duckdb').replaceAll(LAKE_LOCAL_COLUMN, 'NULL');

/** Athena's SQL as DuckDB takes it, beyond what the prelude gives: its own spelling of `contains` for networks, of `transform`, and of keys in JSON paths. */
function dialect(sql: string): string {
  return toDuckdb(sql.replaceAll(lakeColumns('athena'), LAKE_HERE), true)
    .sql.replaceAll(/\btransform\(/gu, 'list_transform(')
    .replaceAll(/\bcontains\((?=(?:'[^']*'|[\w.]+), TRY_CAST\(replace\()/gu, 'cidr_match(')
    .replaceAll(/'\$[^']*'/gu, (path) => path.replaceAll(/\["([^"\]]+)"\]/gu, '."$1"'));
}

type HiveType =
  | string
  | { readonly array: HiveType }
  | { readonly map: HiveType }
  | { readonly struct: ReadonlyMap<string, HiveType> };

function hiveType(text: string): HiveType {
  let at = 0;
  const read = (): HiveType => {
    const word = /^[a-z]+/u.exec(text.slice(at))?.[0] ?? '';
    at += word.length;
    if (text[at] !== '<') return word;
    at += 1;
    const members = new Map<string, HiveType>();
    const items: HiveType[] = [];
    for (;;) {
      const name = word === 'struct' ? (/^\w+(?=:)/u.exec(text.slice(at))?.[0] ?? '') : '';
      if (word === 'struct') at += name.length + 1;
      const type = read();
      members.set(name, type);
      items.push(type);
      if (text[at++] === '>') break;
    }
    const [first = 'string', second = 'string'] = items;
    return word === 'array' ? { array: first } : word === 'map' ? { map: second } : { struct: members };
  };
  const type = read();
  if (at !== text.length) throw new Error(`cannot read the type ${text}`);
  return type;
}

function duckdbType(type: HiveType): string {
  if (typeof type === 'string')
    return (
      { int: 'INTEGER', bigint: 'BIGINT', double: 'DOUBLE', boolean: 'BOOLEAN', timestamp: 'TIMESTAMP' }[type] ??
      'VARCHAR'
    );
  if ('array' in type) return `${duckdbType(type.array)}[]`;
  if ('map' in type) return `MAP(VARCHAR, ${duckdbType(type.map)})`;
  return `STRUCT(${[...type.struct].map(([name, member]) => `"${name}" ${duckdbType(member)}`).join(', ')})`;
}

/** A record as the JSON reader of Hive gives it: fields found whatever their case, texts of what is no text. */
const rowOf = (
  record: Readonly<Record<string, unknown>>,
  types: ReadonlyMap<string, HiveType>,
): Record<string, unknown> => conform(record, { struct: types }) as Record<string, unknown>;

function conform(value: unknown, type: HiveType): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === 'string') {
    if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
    return Number.isFinite(Number(value)) ? Number(value) : null;
  }
  if ('array' in type) return Array.isArray(value) ? value.map((item) => conform(item, type.array)) : null;
  if (typeof value !== 'object' || Array.isArray(value)) return null;
  if ('map' in type)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, conform(item, type.map)]));
  const fields = new Map(
    Object.entries(value)
      .map(([key, item]) => [key.toLowerCase(), item] as const)
      .toReversed(),
  );
  return Object.fromEntries([...type.struct].map(([name, member]) => [name, conform(fields.get(name), member)]));
}

/** The records of a log file: elements of `Records`, JSON lines, or lines by a pattern. A file that is broken has none here. */
function recordsOf(
  path: string,
  columns: readonly string[],
  pattern: string | undefined,
): readonly Record<string, unknown>[] {
  let text: string;
  try {
    const bytes = readFileSync(path);
    text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch {
    return [];
  }
  if (pattern !== undefined) {
    const line = new RegExp(pattern, 'u');
    return text
      .split('\n')
      .filter((one) => one !== '')
      .map((one) => {
        const match = line.exec(one);
        return Object.fromEntries(columns.map((column, at) => [column, match?.[at + 1] ?? null]));
      });
  }
  try {
    const whole = JSON.parse(text) as Record<string, unknown>;
    return (whole['Records'] as readonly Record<string, unknown>[] | undefined) ?? [whole];
  } catch {
    return text.split('\n').flatMap((one) => {
      try {
        return [JSON.parse(one) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
  }
}

function columnType(type: DuckDBType): { readonly type: string; readonly precision?: number; readonly scale?: number } {
  const name = String(type);
  const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/u.exec(name);
  if (decimal !== null) return { type: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  if (/\[\d*\]$/u.test(name)) return { type: 'array' };
  if (name.startsWith('STRUCT')) return { type: 'row' };
  if (name.startsWith('MAP')) return { type: 'map' };
  if (/^TIMESTAMP(?:_(?:NS|MS|S))?$/u.test(name)) return { type: 'timestamp' };
  if (name === 'TIMESTAMP WITH TIME ZONE') return { type: 'timestamp with time zone' };
  return {
    type:
      { HUGEINT: 'bigint', VARCHAR: 'varchar', JSON: 'json', FLOAT: 'float', BLOB: 'varbinary' }[name] ??
      name.toLowerCase(),
  };
}

/** A value as Athena prints it. */
function textOf(value: Value, type: DuckDBType): string | null {
  if (value === null) return null;
  const isTime = String(type).startsWith('TIMESTAMP');
  if (isTime && typeof value === 'string') {
    const [day = '', rest = ''] = value.replace('Z', '').split('T');
    const [time = '', fraction = ''] = rest.split('.');
    return `${day} ${time}.${fraction.padEnd(3, '0')}${String(type).endsWith('ZONE') ? ' UTC' : ''}`;
  }
  if (Array.isArray(value))
    return `[${value.map((item) => (item === null ? 'null' : nestedText(item as Value))).join(', ')}]`;
  return nestedText(value);
}

function nestedText(value: Value): string {
  if (Array.isArray(value))
    return `[${value.map((item) => (item === null ? 'null' : nestedText(item as Value))).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}=${item === null ? 'null' : nestedText(item)}`)
      .join(', ')}}`;
  return String(value);
}
