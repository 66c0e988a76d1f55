/** Tables over a bucket: what is found there, what is made of it, and what a second look says. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type CatalogEntry,
  dataOf,
  type LogRoot,
  rawDifferences,
  rawTableSql,
  rootOf,
  viewsOf,
} from '../../../src/backends/athena/ddl.ts';
import { discoverRoots, unknownAccounts } from '../../../src/backends/athena/layout.ts';
import { deployedTables, planSetup } from '../../../src/backends/athena/setup.ts';
import { TABLES } from '../../../src/cli/wire.ts';
import { cloudtrailTable } from '../../../src/formats/cloudtrail-table.ts';
import type { Folders } from '../../../src/source.ts';
import { openFolders } from '../../../src/sources/s3-folders.ts';
import { CREDENTIALS } from '../../sources/s3-support.ts';
import { DATABASE, openSession, type TestSession } from '../../support/athena.ts';
import { type AthenaServer, startAthena } from '../../support/athena-server.ts';
import { objectsOf, type S3Peer, startS3Peer } from '../../support/s3-peer.ts';

const BUCKET = 'logs';
const { signal } = new AbortController();
const ACCESS = '2026-01-31-23-59-59-0123456789ABCDEF';
const KEYS = [
  'AWSLogs/o-exampleorgid/111122223333/CloudTrail/us-east-1/2026/01/31/a.json.gz',
  'AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1/2026/01/31/a.json.gz',
  'AWSLogs/o-exampleorgid/444455556666/CloudTrail/us-east-1/2026/01/31/a.json.gz',
  'AWSLogs/o-exampleorgid/444455556666/CloudTrail-Digest/us-east-1/2026/01/31/a.json.gz',
  'AWSLogs/o-exampleorgid/444455556666/Config/us-east-1/2026/1/31/a.json.gz',
  'AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/01/31/a.json.gz',
  'AWSLogs/111122223333/WAFLogs/us-east-1/acl-a/2026/01/31/23/55/a.log.gz',
  'AWSLogs/111122223333/WAFLogs/cloudfront/acl-b/2026/01/31/23/55/a.log.gz',
  `access/111122223333/us-east-1/bucket-a/2026/01/31/${ACCESS}`,
  `access/444455556666/eu-west-1/bucket-b/2026/01/31/${ACCESS}`,
  `flat/log-${ACCESS}`,
  'flat/2025-01-01.txt',
  'lake/cloudtrail/trailhound-export.json',
  'lake/cloudtrail/2026/01/31/symlink.txt',
  'lake/data/cloudtrail/2026/01/31/a.12.parquet',
];

let peer: S3Peer;
let folders: Folders;
beforeAll(async () => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
  peer = await startS3Peer({
    bucket: BUCKET,
    objects: objectsOf(Object.fromEntries(KEYS.map((key) => [key, 'x'.repeat(100)]))),
    pageKeys: 2,
  });
  folders = await openFolders({ endpointUrl: peer.url, region: 'us-east-1' });
});
afterAll(async () => {
  folders.close();
  await peer.close();
});

const discover = (prefix: string, options: { accounts?: string[]; regions?: string[] } = {}) =>
  discoverRoots(BUCKET, prefix, { folders, signal, ...options });
const brief = ({ table, location, template, keys }: LogRoot) => [
  table,
  location.replace('s3://logs/', ''),
  template,
  ...keys.map(({ name, values }) => `${name}: ${values.join(' ')}`),
];

describe('what lies in a bucket', () => {
  const ORGANIZATION = [
    'cloudtrail',
    'AWSLogs/o-exampleorgid/',
    '${account}/CloudTrail/${region}/',
    'account: 111122223333 444455556666',
    'region: eu-west-1 us-east-1',
  ];
  const WAF = [
    'waf',
    'AWSLogs/',
    '${source}/',
    'source: 111122223333/WAFLogs/cloudfront/acl-b 111122223333/WAFLogs/us-east-1/acl-a',
  ];

  test('is found from its root on: organisations, accounts, Regions, web ACLs, buckets', async () => {
    expect((await discover('')).map(brief)).toEqual([
      ORGANIZATION,
      ['cloudtrail', 'lake/cloudtrail/', ''],
      [
        'cloudtrail_insight',
        'AWSLogs/',
        '${account}/CloudTrail-Insight/${region}/',
        'account: 111122223333',
        'region: us-east-1',
      ],
      ['s3_access', 'access/', '${source}/', 'source: 111122223333/us-east-1/bucket-a 444455556666/eu-west-1/bucket-b'],
      ['s3_access', 'flat/', null],
      WAF,
    ]);
  });

  test('is an export of trailhound where its marker lies', async () => {
    for (const prefix of ['lake', 'lake/cloudtrail/']) {
      expect(await discover(prefix)).toEqual([
        {
          table: 'cloudtrail',
          location: 's3://logs/lake/cloudtrail/',
          template: '',
          keys: [],
          since: '2013/11/01',
          isExport: true,
        },
      ]);
    }
  });

  test('is found from a folder on, with or without the slash', async () => {
    expect((await discover('AWSLogs/o-exampleorgid')).map(brief)).toEqual([ORGANIZATION]);
  });

  test('is that of one account or Region, where its folder or an option says so', async () => {
    const one = [
      'cloudtrail',
      'AWSLogs/o-exampleorgid/',
      '${account}/CloudTrail/${region}/',
      'account: 111122223333',
      'region: eu-west-1',
    ];
    expect((await discover('AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-west-1/')).map(brief)).toEqual([one]);
    expect(
      (await discover('AWSLogs/o-exampleorgid/', { accounts: ['111122223333'], regions: ['eu-west-1'] })).map(brief),
    ).toEqual([one]);
  });

  test('is more than a table has, when an account has come', async () => {
    const [root] = await discover('AWSLogs/o-exampleorgid/', { accounts: ['444455556666'] });
    expect(await unknownAccounts(root as LogRoot, { folders, signal })).toEqual(['111122223333']);
    const [whole] = await discover('AWSLogs/o-exampleorgid/');
    expect(await unknownAccounts(whole as LogRoot, { folders, signal })).toEqual([]);
  });

  test('is nothing: said with what was expected', async () => {
    await expect(discover('nowhere/')).rejects.toMatchObject({
      code: 'source-missing',
      message: 'no logs were found below s3://logs/nowhere/',
    });
  });
});

const ROOT: LogRoot = {
  table: 'cloudtrail',
  location: 's3://logs/AWSLogs/o-exampleorgid/',
  template: '${account}/CloudTrail/${region}/',
  keys: [
    { name: 'account', values: ['111122223333', '444455556666'] },
    { name: 'region', values: ['eu-west-1', 'us-east-1'] },
  ],
  since: '2013/11/01',
};

test('the table of a trail is laid out by account, Region and day', () => {
  const sql = rawTableSql(DATABASE, 'cloudtrail_raw', ROOT, cloudtrailTable);
  expect(
    sql.slice(sql.indexOf('PARTITIONED')),
  ).toBe(`PARTITIONED BY (\`account\` string, \`region\` string, \`day\` string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION 's3://logs/AWSLogs/o-exampleorgid/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '111122223333,444455556666',
  'projection.region.type' = 'enum',
  'projection.region.values' = 'eu-west-1,us-east-1',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '2013/11/01,NOW',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://logs/AWSLogs/o-exampleorgid/\${account}/CloudTrail/\${region}/\${day}/',
  'trailhound.table' = 'cloudtrail'
)`);
});

test('the table of an export reads the lists of its days, and its view the columns as they are', () => {
  const root: LogRoot = { ...ROOT, location: 's3://logs/lake/cloudtrail/', template: '', keys: [], isExport: true };
  const sql = rawTableSql(DATABASE, 'cloudtrail_raw', root, cloudtrailTable);
  expect(sql).toContain('`event_time` timestamp,\n');
  expect(sql).toContain('`resource_arns` array<string>\n)');
  expect(sql).not.toContain('record_no');
  expect(sql).toContain("STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'");
  expect(sql).toContain("'storage.location.template' = 's3://logs/lake/cloudtrail/${day}/'");
  expect(dataOf(root)).toBe('s3://logs/lake/data/cloudtrail/');
  const [delivered] = viewsOf(DATABASE, cloudtrailTable, [{ name: 'cloudtrail_raw', root }]);
  expect(delivered?.sql).toContain('event_date, day, "$path" AS source_path\nFROM "');
  expect(delivered?.sql).not.toMatch(/useridentity|UNION/u);
  const both = viewsOf(DATABASE, cloudtrailTable, [
    { name: 'cloudtrail_raw', root: ROOT },
    { name: 'cloudtrail_raw_2', root },
  ])[0]?.sql;
  expect(both).toMatch(/useridentity[\s\S]*UNION ALL\nSELECT event_id/u);
});

test.each(["s3://logs/it's/", 's3://logs/a b/', 's3://logs/${day}/', 's3://logs/a,b/', 's3://logs/a\\b/'])(
  'a folder whose name would be more than a name is refused: %s',
  (location) => {
    expect(() => rawTableSql(DATABASE, 'cloudtrail_raw', { ...ROOT, location }, cloudtrailTable)).toThrow(
      /holds a character/u,
    );
  },
);

describe('what is there', () => {
  let server: AthenaServer;
  let opened: TestSession;
  beforeAll(async () => {
    server = await startAthena();
    opened = openSession(server);
  });
  afterAll(async () => {
    opened.close();
    await server.close();
  });
  const plan = async (roots: readonly LogRoot[]) => planSetup(DATABASE, TABLES, roots, await opened.session.state());
  const states = async (roots: readonly LogRoot[]) => (await plan(roots)).map(({ name, state }) => `${name} ${state}`);
  const apply = async (roots: readonly LogRoot[]) => opened.session.apply(await plan(roots), () => undefined);

  test('is made, and is then as it should be', async () => {
    expect(await states([ROOT])).toEqual([
      'trailhound missing',
      'cloudtrail_raw missing',
      'cloudtrail_delivered missing',
      'cloudtrail missing',
      'lake missing',
    ]);
    await apply([ROOT]);
    expect(await states([ROOT])).toEqual([
      'cloudtrail_raw same',
      'cloudtrail_delivered same',
      'cloudtrail same',
      'lake same',
    ]);
    expect(await plan([ROOT])).toMatchObject(Array.from({ length: 4 }, () => ({ statements: [] })));
  });

  test('tells of what it was made', async () => {
    const entries = (await opened.session.athena.entries(signal)) ?? [];
    expect(deployedTables(TABLES, entries).map(({ table, roots }) => [table.name, roots])).toEqual([
      ['cloudtrail', [ROOT]],
    ]);
  });

  test('differs when an account has come, and only the table is made anew', async () => {
    const grown = {
      ...ROOT,
      keys: [
        { name: 'account', values: ['111122223333', '444455556666', '777788889999'] },
        ROOT.keys[1] as LogRoot['keys'][0],
      ],
    };
    const steps = await plan([grown]);
    expect(steps.map(({ name, state, differences }) => [name, state, differences])).toEqual([
      ['cloudtrail_raw', 'differs', ['+ projection.account.values: 777788889999']],
      ['cloudtrail_delivered', 'same', []],
      ['cloudtrail', 'same', []],
      ['lake', 'same', []],
    ]);
    expect(steps[0]?.statements[0]).toBe('DROP TABLE `trailhound`.`cloudtrail_raw`');
    await apply([grown]);
    expect(await states([grown])).toEqual([
      'cloudtrail_raw same',
      'cloudtrail_delivered same',
      'cloudtrail same',
      'lake same',
    ]);
  });

  test('takes a second folder beside the first, which keeps its name', async () => {
    const second = { ...ROOT, location: 's3://logs/AWSLogs/' };
    expect(await states([second])).toEqual([
      'cloudtrail_raw_2 missing',
      'cloudtrail_delivered differs',
      'cloudtrail same',
      'lake same',
    ]);
    await apply([second]);
    const [, { roots } = { roots: [] }] = [0, (await opened.session.deployed())[0]];
    expect(roots.map(({ location }) => location)).toEqual(['s3://logs/AWSLogs/o-exampleorgid/', 's3://logs/AWSLogs/']);
    expect(await states([second])).toEqual([
      'cloudtrail_raw_2 same',
      'cloudtrail_delivered same',
      'cloudtrail same',
      'lake same',
    ]);
  });

  test('is left alone where trailhound did not make it', async () => {
    const state = await opened.session.state();
    const foreign: CatalogEntry = { name: 'waf_raw', isView: false, columns: [], keys: [], parameters: {} };
    const waf = { ...ROOT, table: 'waf' };
    expect(() => planSetup(DATABASE, TABLES, [waf], { ...state, entries: [foreign] })).toThrow(
      /"trailhound"\."waf_raw": something that trailhound did not make/u,
    );
    const view: CatalogEntry = { ...foreign, name: 'waf', isView: true };
    expect(() =>
      planSetup(DATABASE, TABLES, [waf], { entries: [view], views: new Map([['waf', 'CREATE VIEW waf AS SELECT 1']]) }),
    ).toThrow(/"waf"/u);
  });
});

test('differences of columns and keys are told one by one', () => {
  const entry: CatalogEntry = {
    name: 'cloudtrail_raw',
    isView: false,
    columns: [{ name: 'eventversion', type: 'int' }],
    keys: ['day'],
    parameters: { location: 's3://logs/elsewhere', 'trailhound.table': 'cloudtrail' },
  };
  const lines = rawDifferences(entry, ROOT, cloudtrailTable);
  expect(lines).toEqual(
    expect.arrayContaining([
      '- column eventversion int',
      '+ column eventversion string',
      '- partitioned by day',
      '+ partitioned by account, region, day',
      '- location = s3://logs/elsewhere',
      '+ location = s3://logs/AWSLogs/o-exampleorgid/',
    ]),
  );
  expect(rootOf({ ...entry, parameters: {} })).toBeNull();
});
