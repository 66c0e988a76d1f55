/** The statements that the benchmark compares with: an ingest in nothing but DuckDB's SQL, in three degrees of care. */
import { PRELUDE } from '../src/backends/prelude.ts';
import { cloudtrailTable } from '../src/formats/cloudtrail-table.ts';
import { type Column, derivedColumns, rawColumns } from '../src/table.ts';

/** One statement, and the folder whose Parquet files it writes: these are fsynced and moved to `publish` when it is done. */
export interface Step {
  readonly sql: string;
  readonly staging?: string;
  readonly publish?: string;
}

/** What bench/sql-process.mjs does. */
export interface SqlJob {
  readonly setup: readonly string[];
  readonly steps: readonly Step[];
}

/** Largest log file that the statements take; DuckDB asks for a bound. */
const MAX_OBJECT_BYTES = 33_554_432;

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (text: string): string => `"${text.replaceAll('"', '""')}"`;

const fields = rawColumns(cloudtrailTable).filter(
  (column): column is Column & { raw: string } => column.raw !== undefined,
);
const topKeys = [...new Set(fields.map(({ raw }) => raw.split('.')[0] ?? raw))];

type Structure = { [key: string]: string | Structure };

/** DuckDB's description of what to take out of a JSON object: values as text or JSON, to be cast later. */
function structure(prefix: string): string {
  const root: Structure = {};
  for (const { raw, json } of fields) {
    if (!raw.startsWith(prefix)) continue;
    const path = raw.slice(prefix.length).split('.');
    const last = path.pop() ?? '';
    let node = root;
    for (const key of path) {
      const child = node[key];
      node = typeof child === 'object' ? child : (node[key] = {});
    }
    node[last] = json === true ? 'JSON' : 'VARCHAR';
  }
  return JSON.stringify(root);
}

const nested = topKeys.filter((key) => fields.some(({ raw }) => raw.startsWith(`${key}.`)));
const top = (): string =>
  JSON.stringify(
    Object.fromEntries(
      topKeys.map((key) => {
        const whole = fields.find(({ raw }) => raw === key);
        return [key, whole === undefined || whole.json === true ? 'JSON' : 'VARCHAR'];
      }),
    ),
  );

function value({ name, raw, type }: Column & { raw: string }): string {
  const [first = '', ...rest] = raw.split('.');
  const path = rest.length === 0 ? `record.${identifier(first)}` : `${first}_.${rest.map(identifier).join('.')}`;
  return `${type === 'VARCHAR' ? path : `try_cast(${path} AS ${type})`} AS ${name}`;
}

/** A3 of the ingest measurements: every value of the record in a column, what has none in `extra`. */
function select(files: string): string {
  const known = JSON.stringify(Object.fromEntries(topKeys.map((key) => [key, null])));
  return `SELECT log_file, record_no, ${fields.map(value).join(', ')}, extra
FROM (SELECT *, ${nested.map((key) => `json_transform(record.${identifier(key)}, ${quoted(structure(`${key}.`))}) AS ${key}_`).join(', ')}
  FROM (SELECT json_transform(text, ${quoted(top())}) AS record, log_file, record_no, nullif(json_merge_patch(text, ${quoted(known)}), '{}') AS extra
    FROM (SELECT unnest(Records) AS text, generate_subscripts(Records, 1) AS record_no, filename AS log_file
      FROM read_json(${files}, format = 'unstructured', columns = {Records: 'JSON[]'}, maximum_object_size = ${MAX_OBJECT_BYTES}, filename = true))))`;
}

const PARQUET = 'FORMAT parquet, COMPRESSION zstd';
const glob = (dir: string): string => quoted(`${dir}/**/*.json.gz`);

/** Bare: the values, in one file. */
export const bareSql = (dir: string, out: string): SqlJob => ({
  setup: [],
  steps: [{ sql: `COPY (${select(glob(dir))}) TO ${quoted(`${out}/bare.parquet`)} (${PARQUET})` }],
});

/** What one types first, with the option that DuckDB's error message then asks for: it guesses the types, structs stay structs. */
export const autoSql = (dir: string, out: string): SqlJob => ({
  setup: [],
  steps: [
    {
      sql: `COPY (SELECT record.* FROM (SELECT unnest(Records) AS record FROM read_json_auto(${glob(dir)}, union_by_name = true, maximum_object_size = ${MAX_OBJECT_BYTES}))) TO ${quoted(`${out}/auto.parquet`)} (${PARQUET})`,
    },
  ],
});

/** As much as a batch of the same job reads: about 100,000 events, few enough to be sorted out in memory and enough to make large files. */
const BATCH_GZIP_BYTES = 14_000_000;

export interface SizedFile {
  readonly path: string;
  readonly day: string;
  readonly sizeBytes: number;
}

/**
 * The same job as ours: derived columns, one folder per event date, each event once whatever was delivered twice, every file on the disk before it is
 * published. Goes by batches in the order of the keys' days, so that memory stays bounded.
 */
export function sameJobSql(files: readonly SizedFile[], out: string): SqlJob {
  const derived = derivedColumns(cloudtrailTable).map(({ name, derive }) => `${derive} AS ${name}`);
  return {
    setup: PRELUDE,
    steps: batches(files).map((batch, index) => {
      const event = `SELECT *, ${derived.join(', ')}, CAST(event_time AS DATE) AS event_date FROM (${select(`[${batch.map(({ path }) => quoted(path)).join(', ')}]`)})`;
      const staging = `${out}/staging/${index}`;
      // A file may hold events of the evening before, which the batch before may have stored.
      const seen =
        index === 0
          ? ''
          : `ANTI JOIN (SELECT ${IDENTITY} FROM read_parquet(${quoted(`${out}/lake/${index - 1}/*/*.parquet`)})) AS seen USING (${IDENTITY})`;
      return {
        sql: `COPY (SELECT event.* FROM (${event}) AS event ${seen}
QUALIFY event_id IS NULL OR row_number() OVER (PARTITION BY ${IDENTITY}) = 1)
TO ${quoted(staging)} (${PARQUET}, PARTITION_BY (event_date))`,
        staging,
        publish: `${out}/lake/${index}`,
      };
    }),
  };
}

/** Two records are the same event when they agree in these. */
const IDENTITY = 'event_id, event_time, event_source, event_name_raw, account_id';

/** Files in the order of their days, cut where a batch is full. */
function batches(files: readonly SizedFile[]): SizedFile[][] {
  const all: SizedFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files.toSorted((a, b) => (a.day + a.path < b.day + b.path ? -1 : 1))) {
    if (bytes >= BATCH_GZIP_BYTES) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(file);
    bytes += file.sizeBytes;
  }
  return all;
}
