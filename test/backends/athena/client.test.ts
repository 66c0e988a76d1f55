/** What becomes of a statement when Athena, the network or a person does not do what was hoped for: the real client against a server on loopback. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ScanMeter } from '../../../src/backends/athena/cost.ts';
import { openSession, type TestSession } from '../../support/athena.ts';
import { type AthenaFault, type AthenaServer, startAthena } from '../../support/athena-server.ts';

let server: AthenaServer;
let opened: TestSession;

beforeEach(async () => {
  server = await startAthena({ cutoffBytes: 20_000_000 });
  opened = openSession(server);
});
afterEach(async () => {
  opened.close();
  await server.close();
});

const run = (sql = 'SELECT 1 AS one', changes: { meter?: ScanMeter; expectedBytes?: number } = {}) =>
  opened.session.athena.run(sql, { meter: opened.session.meter, signal: opened.control.signal, ...changes });
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it ran',
    (error: unknown) => error,
  );
const count = (operation: string): number =>
  server.requests.filter((request) => request.operation === operation).length;
const times = (number: number, fault: AthenaFault): AthenaFault[] => Array.from({ length: number }, () => fault);

describe('a statement that Athena does not take at once', () => {
  test('is offered again while too many run, and runs once', async () => {
    server.faults.push(
      ...times(7, {
        on: 'StartQueryExecution',
        error: 'TooManyRequestsException',
        message: 'CONCURRENT_QUERY_LIMIT_EXCEEDED',
      }),
    );
    await run();
    expect(server.statements()).toEqual(['SELECT 1 AS one']);
  });

  test('is not run twice because its answer was lost', async () => {
    server.faults.push(
      { on: 'StartQueryExecution', error: 'InternalServerException', status: 500 },
      { on: 'StartQueryExecution', drop: true },
    );
    await run();
    const tokens = server.requests
      .filter(({ operation }) => operation === 'StartQueryExecution')
      .map(({ input }) => input['ClientRequestToken']);
    expect(tokens.length).toBe(3);
    expect(new Set(tokens).size).toBe(1);
    expect(server.statements().length).toBe(1);
  });

  test.each([
    [
      'AccessDeniedException',
      'not authorized to perform: athena:StartQueryExecution',
      'query-failed',
      /access denied \(not authorized/u,
    ],
    ['UnrecognizedClientException', 'The security token is invalid', 'aws-credentials', /takes no credentials/u],
    ['InvalidRequestException', 'No output location provided', 'usage-invalid', /No output location/u],
    ['InvalidRequestException', 'WorkGroup x is not found', 'usage-invalid', /WorkGroup x/u],
  ] as const)('is told of with what to do: %s', async (error, message, code, text) => {
    server.faults.push({ on: 'StartQueryExecution', error, message });
    expect(await errorOf(run())).toMatchObject({
      code,
      message: expect.stringMatching(text),
      hint: expect.stringMatching(/./u),
    });
  });
});

describe('a statement that runs', () => {
  test('is watched on although looks fail', async () => {
    server.faults.push(
      { on: 'run', slowMs: 1500 },
      ...times(2, { on: 'GetQueryExecution', drop: true }),
      ...times(3, { on: 'GetQueryExecution', error: 'ThrottlingException' }),
      { on: 'GetQueryExecution', error: 'InternalServerException', status: 500 },
    );
    expect(await run()).toMatchObject({ hasHeader: true, reused: false });
    expect(count('StartQueryExecution')).toBe(1);
  });

  test('is looked at ever more rarely', async () => {
    server.faults.push({ on: 'run', slowMs: 4000 });
    await run();
    expect(count('GetQueryExecution')).toBeLessThan(10);
  });

  test('is stopped on the server by Ctrl-C', async () => {
    server.faults.push({ on: 'run', slowMs: 60_000 });
    const running = errorOf(run());
    await sleep(400);
    opened.control.abort();
    expect(await running).toMatchObject({
      code: 'interrupted',
      message: 'the statement was interrupted, and stopped on Athena',
    });
    expect(count('StopQueryExecution')).toBe(1);
  });

  test('that could not be stopped is named, with the command that stops it', async () => {
    server.faults.push({ on: 'run', slowMs: 60_000 }, { on: 'StopQueryExecution', error: 'AccessDeniedException' });
    const running = errorOf(run());
    await sleep(400);
    opened.control.abort();
    expect(await running).toMatchObject({
      code: 'interrupted',
      hint: expect.stringMatching(/aws athena stop-query-execution --query-execution-id [0-9a-f-]{36}/u),
    });
  });

  test('is stopped when it has scanned more than is allowed, and what it scanned counts', async () => {
    server.faults.push({ on: 'run', slowMs: 60_000, scanEachLook: 30_000_000 });
    const meter = new ScanMeter(50_000_000);
    expect(await errorOf(run('SELECT 1 AS one', { meter }))).toMatchObject({
      code: 'scan-limit',
      message: 'stopped after 60.0 MB: --max-scan allows 50.0 MB',
    });
    expect(count('StopQueryExecution')).toBe(1);
    expect([meter.scannedBytes, meter.billedBytes]).toEqual([60_000_000, 60_000_000]);
    expect(await errorOf(run('SELECT 2 AS two', { meter }))).toMatchObject({
      code: 'scan-limit',
      message: expect.stringMatching(/no further statement/u),
    });
    expect(server.statements().length).toBe(1);
  });

  test('is not started when it is expected to scan more than is left', async () => {
    const meter = new ScanMeter(50_000_000);
    expect(await errorOf(run('SELECT 1 AS one', { meter, expectedBytes: 50_000_001 }))).toMatchObject({
      code: 'scan-limit',
      message: expect.stringMatching(/would scan about 50\.0 MB/u),
    });
    expect(count('StartQueryExecution')).toBe(0);
    expect(await run('SELECT 1 AS one', { meter, expectedBytes: 50_000_000 })).toMatchObject({ scannedBytes: 0 });
  });
});

describe('a statement that does not succeed', () => {
  test('is run again where the reason is one of Athena, and is not counted', async () => {
    server.faults.push(
      { on: 'run', state: 'FAILED', reason: 'INTERNAL_ERROR_QUERY_ENGINE', category: 1 },
      { on: 'run', state: 'FAILED', reason: 'busy', category: 3, retryable: true },
    );
    expect(await run()).toMatchObject({ hasHeader: true });
    expect(server.statements().length).toBe(3);
    expect(opened.session.meter.billedBytes).toBe(0);
  });

  test('is given up in the end', async () => {
    server.faults.push(...times(3, { on: 'run', state: 'FAILED', reason: 'INTERNAL_ERROR_QUERY_ENGINE', category: 1 }));
    expect(await errorOf(run())).toMatchObject({
      code: 'query-failed',
      message: expect.stringMatching(/INTERNAL_ERROR_QUERY_ENGINE \(statement [0-9a-f-]{36}\)/u),
    });
    expect(server.statements().length).toBe(3);
  });

  test.each([
    ['FAILED', "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved", 2, 'sql-invalid', /Column 'x'/u],
    ['FAILED', 'line 1:8: mismatched input', undefined, 'sql-invalid', /mismatched input/u],
    ['FAILED', 'Query exhausted resources at this scale factor', 2, 'query-failed', /exhausted resources/u],
    ['FAILED', 'Access Denied (Service: Amazon S3; Status Code: 403)', 2, 'query-failed', /Access Denied/u],
    ['FAILED', 'HIVE_BAD_DATA: Error parsing a row', 3, 'query-failed', /HIVE_BAD_DATA/u],
    [
      'CANCELLED',
      'Bytes scanned limit was exceeded',
      undefined,
      'scan-limit',
      /the workgroup primary stopped the statement/u,
    ],
    [
      'CANCELLED',
      'Query cancelled by user',
      undefined,
      'query-failed',
      /cancelled on Athena: Query cancelled by user/u,
    ],
  ] as const)('%s with the reason of Athena: %s', async (state, reason, category, code, text) => {
    server.faults.push({ on: 'run', state, reason, ...(category !== undefined && { category }) });
    expect(await errorOf(run())).toMatchObject({ code, message: expect.stringMatching(text) });
    expect(server.statements().length).toBe(1);
  });
});

test('reading a result outlasts requests that fail', async () => {
  server.faults.push(
    { on: 'GetQueryResults', error: 'ThrottlingException' },
    { on: 'GetQueryResults', error: 'InternalServerException', status: 500 },
    { on: 'GetQueryResults', drop: true },
  );
  const { rows } = await opened.session.athena.answer('SELECT x FROM UNNEST(sequence(1, 1500)) AS t(x)', {
    meter: opened.session.meter,
    signal: opened.control.signal,
  });
  expect(rows.length).toBe(1500);
});

test('a database that is not there has no tables, and says what to do', async () => {
  expect(await opened.session.athena.entries(opened.control.signal)).toBeNull();
  expect(await errorOf(opened.session.deployed())).toMatchObject({
    code: 'athena-missing',
    message: 'the database trailhound has no tables of trailhound',
    hint: expect.stringMatching(/athena setup/u),
  });
});

test('the limit of a workgroup is read', async () => {
  expect(await opened.session.athena.workgroup(opened.control.signal)).toEqual({
    cutoffBytes: 20_000_000,
    outputLocation: 's3://results/',
  });
});
