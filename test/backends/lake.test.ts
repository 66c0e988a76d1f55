/** The view `lake`: names and types as AWS lists them, values as CloudTrail Lake has them, and AWS's own sample queries where a copy of them is at hand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { LAKE_COLUMNS } from '../../src/backends/lake.ts';
import { portabilityFindings } from '../../src/backends/portable.ts';
import { loadRecords } from '../support/load-records.ts';
import { BROKEN, hasSamples, LAKE_CASES, LAKE_RECORDS, sampleNames, sampleSql } from './lake-cases.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await loadRecords(LAKE_RECORDS.map((record) => ({ record })));
});
afterAll(() => backend.close());

const rows = async (sql: string): Promise<readonly unknown[][]> =>
  (await backend.query(sql)).rows.map((row) => Object.values(row));

describe('lake', () => {
  test('has the columns of an event data store, in their order', () => {
    expect(LAKE_COLUMNS.map(({ name }) => name).join(' ')).toBe(
      'eventversion useridentity eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage requestparameters responseelements additionaleventdata requestid eventid readonly resources eventtype apiversion managementevent recipientaccountid sharedeventid annotation vpcendpointid vpcendpointaccountid serviceeventdetails addendum edgedevicedetails insightdetails eventcategory tlsdetails sessioncredentialfromconsole eventjson eventjsonchecksum',
    );
  });

  test('has their types, in the words of DuckDB', async () => {
    const { columns } = await backend.query('SELECT * FROM lake');
    const inWords = (type: string): string =>
      type
        .replaceAll(/struct<((?:[^<>]|<[^<>]*>)*)>/g, (_, members: string) => `STRUCT(${members})`)
        .replaceAll(/struct<((?:[^<>]|<[^<>]*>)*)>/g, (_, members: string) => `STRUCT(${members})`)
        .replaceAll(/struct<((?:[^<>]|<[^<>]*>)*)>/g, (_, members: string) => `STRUCT(${members})`)
        .replaceAll(/array<(.*)>$/g, '$1[]')
        .replaceAll('map<string,string>', 'MAP(VARCHAR, VARCHAR)')
        .replaceAll(/([(,])(\w+):/g, (_, before: string, name: string) => `${before === ',' ? ', ' : '('}"${name}" `)
        .replaceAll('string', 'VARCHAR')
        .replaceAll('timestamp', 'TIMESTAMP')
        .replaceAll('boolean', 'BOOLEAN');
    expect(columns.map(({ name, type }) => [name, type])).toEqual(
      LAKE_COLUMNS.map(({ name, type }) => [name, inWords(type)]),
    );
  });

  test.each(LAKE_CASES)('%s', async (_, sql, expected) => {
    expect(await rows(sql)).toEqual(expected);
  });
});

describe.skipIf(!hasSamples)('AWS’s sample queries', () => {
  test.each(sampleNames)('%s runs', async (name) => {
    await backend.query(sampleSql(name));
    expect(portabilityFindings(sampleSql(name))).toEqual([]);
  });

  test.each(Object.entries(BROKEN))('%s is broken as it is written', async (name, why) => {
    await expect(backend.query(sampleSql(name))).rejects.toThrow(why);
  });
});
