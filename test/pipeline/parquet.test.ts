/** Parquet files through the whole ingest: what was exported comes in again as it was, what others wrote becomes events, and every row is counted. */
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { exportStore, TABLES } from '../../src/cli/wire.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { IngestResult } from '../../src/ingest.ts';
import { openStore } from '../../src/store/store.ts';
import { recordTextOf } from '../formats/generate.ts';
import { cloudtrailOracle, insightOracle, wafOracle } from '../formats/oracle.ts';
import { CREDENTIALS } from '../sources/s3-support.ts';
import { ingestInto } from '../support/ingest.ts';
import { objectsOf, startS3Peer } from '../support/s3-peer.ts';
import { differences, query } from '../support/stores.ts';

const SAMPLES = 'sample-logs/AWSLogs';
const SAME = { onlyA: 0, onlyB: 0 };

let folder: string;
const at = (...names: readonly string[]): string => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts all tables of a store, or what a condition leaves of CloudTrail's, into a folder. */
async function exported(dir: string, where: string | null = null): Promise<string> {
  const target = mkdtempSync(at('export-'));
  const store = await openStore(dir);
  try {
    await exportStore(store, {
      target,
      aws: {},
      tables: where === null ? TABLES : [cloudtrailTable],
      window: {},
      where,
      dryRun: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  } finally {
    await store.close();
  }
  return join(target, 'data');
}

/** Runs SQL of DuckDB's own, in which `lines` is a relation of records, each as JSON. */
async function write(records: readonly string[], ...statements: readonly string[]): Promise<void> {
  const file = at('lines.ndjson');
  writeFileSync(file, records.map((record) => `${JSON.stringify({ record })}\n`).join(''));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`CREATE VIEW lines AS SELECT record FROM read_json('${file}', columns = {record: 'VARCHAR'})`);
    for (const statement of statements) await connection.run(statement);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const isBalanced = ({ records }: IngestResult): boolean =>
  records.in === records.stored + records.duplicate + records.rejected;

describe('our own export', () => {
  test('comes in again as it was; the logs behind it are duplicates then, and the access logs are told as what they cannot be', async () => {
    const [first, second] = [at('first'), at('second')];
    const raw = await ingestInto(first, ['sample-logs']);
    const data = await exported(first);
    const back = await ingestInto(second, [data]);
    expect(isBalanced(back)).toBe(true);
    for (const table of TABLES.filter(({ name }) => name !== 's3_access')) {
      const { rows, ...rest } = await differences(first, second, { table });
      expect([table.name, rest]).toEqual([table.name, SAME]);
      expect(rows).toBeGreaterThan(0);
    }
    const lines = readdirSync(join(data, 's3_access'), { recursive: true }).filter((name) =>
      String(name).endsWith('.parquet'),
    );
    expect(back.warnings).toEqual([
      { reason: 'parquet-foreign', count: lines.length, example: expect.stringContaining('/s3_access/') },
    ]);
    expect(back.records.rejected).toBe(lines.length);
    expect(back.records.stored).toBe(raw.records.stored - (await rowsOf(first, 's3_access')));
    const again = await ingestInto(second, [join(SAMPLES, '111122223333/CloudTrail')]);
    expect(again.records).toMatchObject({ stored: 0, duplicate: again.records.in - again.records.rejected });
    expect((await ingestInto(second, [data])).files).toMatchObject({ known: back.files.listed, done: 0 });
  }, 240_000);

  test.each([cloudtrailOracle, insightOracle, wafOracle])(
    'comes in again as it was, whatever shape its records had: $format.name',
    async ({ format, ...oracle }) => {
      const [first, second] = [at(`${format.name}-first`), at(`${format.name}-second`)];
      const records = fc.sample(recordTextOf({ format, ...oracle }), { numRuns: 3000, seed: 27 });
      writeFileSync(at(`${format.name}.json`), records.join('\n'));
      const { records: sums } = await ingestInto(first, [at(`${format.name}.json`)]);
      expect(sums.stored).toBeGreaterThan(500);
      const back = await ingestInto(second, [await exported(first)]);
      expect(back.records).toMatchObject({ in: sums.stored, rejected: 0, duplicate: 0 });
      expect(await differences(first, second, { table: format.table })).toEqual({ ...SAME, rows: sums.stored });
    },
    240_000,
  );
});

/** AWS's table of CloudTrail (docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html) as a CTAS of it writes it, from records. */
const text = (path: string): string => `json_extract_string(record, '$.${path}')`;
const struct = (unless: string, members: Readonly<Record<string, string>>): string =>
  `CASE WHEN json_extract(record, '$.${unless}') IS NOT NULL THEN {${Object.entries(members)
    .map(([name, sql]) => `'${name}': ${sql}`)
    .join(', ')}} END`;
const texts = (path: string | null, ...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => [name.toLowerCase(), text([...(path === null ? [] : [path]), name].join('.'))]),
  );
const ISSUER = 'userIdentity.sessionContext.sessionIssuer';
const FEDERATION = 'userIdentity.sessionContext.webIdFederationData';
const AWS_COLUMNS: Readonly<Record<string, string>> = {
  eventversion: text('eventVersion'),
  useridentity: struct('userIdentity', {
    ...texts('userIdentity', 'type', 'principalId', 'arn', 'accountId', 'invokedBy', 'accessKeyId', 'userName'),
    onbehalfof: struct('userIdentity.onBehalfOf', texts('userIdentity.onBehalfOf', 'userId', 'identityStoreArn')),
    sessioncontext: struct('userIdentity.sessionContext', {
      attributes: struct(
        'userIdentity.sessionContext.attributes',
        texts('userIdentity.sessionContext.attributes', 'mfaAuthenticated', 'creationDate'),
      ),
      sessionissuer: struct(ISSUER, texts(ISSUER, 'type', 'principalId', 'arn', 'accountId', 'userName')),
      ...texts('userIdentity.sessionContext', 'ec2RoleDelivery', 'sourceIdentity'),
      webidfederationdata: struct(FEDERATION, {
        ...texts(FEDERATION, 'federatedProvider'),
        attributes: `TRY_CAST(json_extract(record, '$.${FEDERATION}.attributes') AS MAP(VARCHAR, VARCHAR))`,
      }),
    }),
  }),
  ...texts(
    null,
    'eventTime',
    'eventSource',
    'eventName',
    'awsRegion',
    'sourceIPAddress',
    'userAgent',
    'errorCode',
    'errorMessage',
  ),
  ...texts(null, 'requestParameters', 'responseElements', 'additionalEventData', 'requestID', 'eventID', 'readOnly'),
  resources: `list_transform(TRY_CAST(json_extract(record, '$.resources') AS JSON[]), lambda r: {'arn': coalesce(r->>'ARN', r->>'arn'), 'accountid': r->>'accountId', 'type': r->>'type'})`,
  ...texts(
    null,
    'eventType',
    'apiVersion',
    'recipientAccountId',
    'serviceEventDetails',
    'sharedEventID',
    'vpcEndpointId',
  ),
  ...texts(
    null,
    'vpcEndpointAccountId',
    'eventCategory',
    'managementEvent',
    'sessionCredentialFromConsole',
    'edgeDeviceDetails',
  ),
  addendum: struct('addendum', texts('addendum', 'reason', 'updatedFields', 'originalRequestID', 'originalEventID')),
  tlsdetails: struct('tlsDetails', texts('tlsDetails', 'tlsVersion', 'cipherSuite', 'clientProvidedHostHeader')),
};

/** The table without what it has no column for, or as struct: the store then has less, or in another order. */
const TOLD_OTHERWISE = [
  'user_identity',
  'tls_details',
  'resources',
  'addendum',
  'in_scope_of',
  'web_id_federation',
  'extra',
  'event_context',
];
const LESS = [
  'identity_provider',
  'credential_id',
  'invoked_by_delegate_account_id',
  'ec2_issued_in_vpc',
  'assumed_root',
  'tls_key_exchange',
];

/** Whole log files of the samples, record by record. */
function sampleRecords(): readonly string[] {
  const names = readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/CloudTrail\/.*json\.gz$/u.test(name),
  );
  return names.flatMap((name) => {
    try {
      const { Records: records } = JSON.parse(gunzipSync(readFileSync(join(SAMPLES, name))).toString('utf8')) as {
        readonly Records: readonly unknown[];
      };
      return records.map((record) => JSON.stringify(record));
    } catch {
      return [];
    }
  });
}

describe("others' tables", () => {
  let records: readonly string[];
  beforeAll(async () => {
    records = sampleRecords();
    writeFileSync(at('raw.json'), records.join('\n'));
    await ingestInto(at('raw'), [at('raw.json')]);
    const columns = Object.entries(AWS_COLUMNS).map(([name, sql]) => `${sql} AS ${name}`);
    // Lake has times and maps.
    const lake = {
      eventtime: 'CAST(eventtime AS TIMESTAMP) AS "eventTime"',
      readonly: 'CAST(readonly AS BOOLEAN) AS "readOnly"',
      requestparameters: 'TRY_CAST(CAST(requestparameters AS JSON) AS MAP(VARCHAR, VARCHAR)) AS "requestParameters"',
    };
    const others = `* EXCLUDE (${Object.keys(lake).join(', ')}), ${Object.values(lake).join(', ')}`;
    await write(
      records,
      `CREATE TABLE aws AS SELECT ${columns.join(', ')}, '2026/03/01' AS "timestamp" FROM lines`,
      `COPY aws TO '${at('aws.parquet')}' (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 2048)`,
      `COPY (SELECT ${others}, NULL::MAP(VARCHAR, VARCHAR) AS "insightDetails" FROM aws) TO '${at('lake.parquet')}' (FORMAT parquet)`,
      `COPY (SELECT eventid AS "eventID", 'x' AS other, record AS "eventJson" FROM lines, LATERAL (SELECT ${text('eventID')} AS eventid)) TO '${at('json.parquet')}' (FORMAT parquet, COMPRESSION gzip)`,
    );
  }, 240_000);

  test("AWS's table gives the events that the log files give, and they are duplicates of it", async () => {
    const store = at('aws.store');
    const { records: sums } = await ingestInto(store, [at('aws.parquet')]);
    expect(sums).toMatchObject({ in: records.length, rejected: 0 });
    const but = [...TOLD_OTHERWISE, ...LESS, 'resource_arns'];
    expect(await differences(at('raw'), store, { but })).toMatchObject(SAME);
    const json = (column: string): string => `SELECT count(*) FROM events WHERE ${column}`;
    expect(await query(store, json(`extra <> '{"timestamp":"2026/03/01"}'`))).toEqual([[0n]]);
    expect(
      await query(store, json("user_identity ->> '$.sessionContext.sessionIssuer.principalId' IS NOT NULL")),
    ).toEqual(await query(at('raw'), json('session_issuer_principal_id IS NOT NULL')));
    expect(await query(store, json('resource_arns IS NOT NULL AND resources LIKE \'%"ARN":%\''))).toEqual(
      await query(at('raw'), json('len(resource_arns) > 0')),
    );
    const [[withoutId] = []] = await query(at('raw'), json("coalesce(event_id, '') = ''"));
    const raw = await ingestInto(store, [at('raw.json')]);
    expect(raw.records).toMatchObject({ stored: Number(withoutId), duplicate: records.length - Number(withoutId) });
  }, 240_000);

  test("Lake's names, times and maps give the same events", async () => {
    const store = at('lake.store');
    expect((await ingestInto(store, [at('lake.parquet')])).records).toMatchObject({ in: records.length, rejected: 0 });
    const but = [...TOLD_OTHERWISE, ...LESS, 'resource_arns', 'request_parameters'];
    expect(await differences(at('raw'), store, { but })).toMatchObject(SAME);
    const bucket = "SELECT request_parameters ->> '$.bucketName' AS bucket, count(*) FROM events GROUP BY 1 ORDER BY 1";
    expect(await query(store, bucket)).toEqual(await query(at('raw'), bucket));
  }, 120_000);

  test('eventJson is the record byte for byte', async () => {
    const store = at('json.store');
    expect((await ingestInto(store, [at('json.parquet')])).records).toMatchObject({ in: records.length, rejected: 0 });
    expect(await differences(at('raw'), store)).toMatchObject(SAME);
  }, 120_000);
});

describe('a file', () => {
  const call = (id: number): string =>
    JSON.stringify({
      eventVersion: '1.11',
      eventID: `11111111-1111-4111-8111-${String(id).padStart(12, '0')}`,
      eventTime: '2026-03-01T10:00:00Z',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      recipientAccountId: '111122223333',
    });
  const ROWS = 20_000;
  let whole: Buffer;
  beforeAll(async () => {
    const calls = Array.from({ length: ROWS }, (_, id) => call(id));
    // Many row groups, and more than a window of rows; nothing compressed, so that a byte can be broken.
    const options = '(FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 2048)';
    await write(calls, `COPY (SELECT record AS "eventJson" FROM lines) TO '${at('whole.parquet')}' ${options}`);
    whole = readFileSync(at('whole.parquet'));
  });

  test('is what its content says: compressed, in an archive, of any name, from stdin', async () => {
    const odd = at("[odd] *?'name");
    writeFileSync(odd, whole);
    writeFileSync(at('whole.gz'), gzipSync(whole));
    execFileSync('tar', ['-cf', at('whole.tar'), '-C', folder, 'whole.parquet']);
    execFileSync('python3', ['-m', 'zipfile', '-c', at('whole.zip'), at('whole.parquet')]);
    for (const [index, source] of [odd, at('whole.gz'), at('whole.tar'), at('whole.zip'), '-'].entries()) {
      const stdin = Readable.from([whole]);
      const { records, files } = await ingestInto(at(`kinds-${index}`), [source], { stdin });
      expect([source, records.stored, records.in, files.damaged]).toEqual([source, ROWS, ROWS, 0]);
      expect(readdirSync(at(`kinds-${index}`, 'staging'))).toEqual([]);
    }
  }, 120_000);

  test('is the same from a bucket; later it is known', async () => {
    const objects = objectsOf({ 'export/data/a.parquet': whole });
    const peer = await startS3Peer({ bucket: 'example-logs', objects });
    const environment = { ...CREDENTIALS, AWS_ENDPOINT_URL_S3: peer.url };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    try {
      const { records } = await ingestInto(at('bucket.store'), ['s3://example-logs/export/data/']);
      expect(records).toMatchObject({ in: ROWS, stored: ROWS });
      expect((await ingestInto(at('bucket.store'), ['s3://example-logs/export/'])).files.known).toBe(1);
      expect((await ingestInto(at('bucket.store'), [at('whole.parquet')])).files.copies).toBe(1);
      expect(readdirSync(at('bucket.store', 'staging'))).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
      await peer.close();
    }
  });

  test('that is too large for memory is read where it lies, or through the disk', async () => {
    const large = at('large.parquet');
    const filler = "repeat('x', 1200) || uuid()";
    await write(
      [call(0)],
      `COPY (SELECT ${'record'}, replace(record, '000000000000', lpad(range::VARCHAR, 12, '0')) AS "eventJson", ${filler} AS filler FROM lines, range(50000)) TO '${large}' (FORMAT parquet, COMPRESSION uncompressed)`,
    );
    expect(statSync(large).size).toBeGreaterThan(48 * 1024 * 1024);
    const here = await ingestInto(at('large.store'), [large]);
    expect(here.records).toMatchObject({ in: 50_000, stored: 50_000 });
    const there = await ingestInto(at('large.store'), ['-'], { stdin: createReadStream(large) });
    expect([there.records.duplicate, there.files.copies]).toEqual([50_000, 1]);
    expect(readdirSync(at('large.store', 'staging'))).toEqual([]);
  }, 120_000);

  test('that was cut, or broken, is damaged; its rows before are kept', async () => {
    const broken = Buffer.from(whole);
    // In the pages of a row group in the middle.
    broken.fill(0xff, broken.length / 2, broken.length / 2 + 200);
    writeFileSync(at('broken.parquet'), broken);
    writeFileSync(at('cut.parquet'), whole.subarray(0, whole.length - 5));
    const footer = Buffer.from(whole);
    const start = footer.length - 8 - footer.readUInt32LE(footer.length - 8);
    footer.fill(0xff, start, start + 20);
    writeFileSync(at('footer.parquet'), footer);
    for (const [name, reason] of [
      ['broken', 'parquet-damaged'],
      ['cut', 'truncated'],
      ['footer', 'parquet-damaged'],
    ] as const) {
      const result = await ingestInto(at(`${name}.store`), [at(`${name}.parquet`)]);
      expect([name, isBalanced(result), result.files.damaged, result.warnings[0]?.reason]).toEqual([
        name,
        true,
        1,
        reason,
      ]);
      expect(result.records.rejected).toBe(1);
      if (name === 'broken') expect(result.records.stored).toBeGreaterThan(ROWS / 4);
      const later = await ingestInto(at(`${name}.store`), [at('whole.parquet')]);
      expect(result.records.stored + later.records.stored).toBe(ROWS);
    }
  }, 120_000);

  test('of something else is counted once, and its columns are named', async () => {
    await write(
      [call(0)],
      `COPY (SELECT 1 AS passenger_count, 'x' AS "odd ""name" FROM range(100)) TO '${at('taxi.parquet')}' (FORMAT parquet)`,
      `COPY (SELECT record AS "eventJson" FROM lines WHERE false) TO '${at('empty.parquet')}' (FORMAT parquet)`,
      `COPY (SELECT unnest(['{"a":1}', NULL, record]) AS "eventJson" FROM lines) TO '${at('mixed.parquet')}' (FORMAT parquet)`,
      'SET force_mbedtls_unsafe = true',
      "PRAGMA add_parquet_key('k', '0123456789112345')",
      `COPY lines TO '${at('secret.parquet')}' (FORMAT parquet, ENCRYPTION_CONFIG {footer_key: 'k'})`,
    );
    const store = at('foreign.store');
    const told = async (name: string): Promise<unknown> => {
      const { records, files, warnings } = await ingestInto(store, [at(name)]);
      return [records.in, records.stored, files.done, warnings.map(({ reason, count }) => [reason, count])];
    };
    expect(await told('taxi.parquet')).toEqual([1, 0, 1, [['parquet-foreign', 1]]]);
    expect(await told('empty.parquet')).toEqual([0, 0, 1, []]);
    expect(await told('mixed.parquet')).toEqual([
      3,
      1,
      1,
      [
        ['envelope-foreign', 1],
        ['envelope-empty', 1],
      ],
    ]);
    expect(await told('secret.parquet')).toEqual([1, 0, 1, [['parquet-encrypted', 1]]]);
    const opened = await openStore(store);
    const rejects = await opened.rejects({ limit: 100 });
    await opened.close();
    expect(rejects.map(({ detail }) => detail)).toContainEqual(
      expect.stringMatching(
        /^a Parquet file with the columns passenger_count, odd "name: expected those of an export/u,
      ),
    );
  }, 120_000);
});

async function rowsOf(dir: string, name: string): Promise<number> {
  const store = await openStore(dir);
  try {
    const { tables } = await store.status();
    return tables.find((table) => table.name === name)?.rows ?? 0;
  } finally {
    await store.close();
  }
}
