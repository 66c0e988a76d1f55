/** Ingest from end to end, with real threads and a real store: everything once, however it is delivered. */
import {
  copyFileSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync, gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import type { IngestResult } from '../../src/ingest.ts';
import { openStore } from '../../src/store/store.ts';
import { ingestInto } from '../support/ingest.ts';
import { differences, query } from '../support/stores.ts';

const FILES = 30;
const RECORDS = 40;
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);

interface Record_ {
  readonly eventID?: string;
  readonly eventName: string;
  readonly [key: string]: unknown;
}

const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const record = (number: number, change: Partial<Record_> = {}): Record_ => ({
  eventVersion: '1.09',
  userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/alice', userName: 'alice' },
  eventTime: new Date(START + (number * 3 * DAY_MS) / (FILES * RECORDS)).toISOString().replace(/\.\d+/, ''),
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  awsRegion: 'us-east-1',
  sourceIPAddress: '198.51.100.7',
  requestParameters: { bucketName: 'b', key: `k${number} "é" 😀 \n` },
  recipientAccountId: '111122223333',
  eventID: uuid(number),
  ...change,
});

let folder: string;
let archive: string;
let plain: string;
const path = (...names: string[]): string => join(folder, ...names);
const records = (file: number): Record_[] =>
  Array.from({ length: RECORDS }, (_, index) => record(file * RECORDS + index));
const write = (name: string, content: readonly Record_[]): void =>
  writeFileSync(name, gzipSync(JSON.stringify({ Records: content })));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-ingest-'));
  archive = path('archive');
  mkdirSync(archive);
  for (let file = 0; file < FILES; file++)
    write(join(archive, `${String(file).padStart(3, '0')}.json.gz`), records(file));
  plain = path('plain');
  await ingestInto(plain, [archive]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const total = FILES * RECORDS;
const same = { onlyA: 0, onlyB: 0, rows: total };
const sums = (result: IngestResult) => result.records;
const none = { duplicate: 0, rejected: 0, id_conflicts: 0, without_time: 0 };

async function expectBalanced(store: string): Promise<void> {
  const opened = await openStore(store);
  expect((await opened.status()).balanced).toBe(true);
  await opened.close();
}

describe('the same archive', () => {
  test('as folder, zip, tar and tar.gz gives equal rows', async () => {
    const zip = new ZipFile();
    const packed = tar.pack();
    const twin = tar.pack();
    for (const name of readdirSync(archive)) {
      const bytes = readFileSync(join(archive, name));
      zip.addBuffer(name.endsWith('0.json.gz') ? gunzipSync(bytes) : bytes, name);
      packed.entry({ name }, bytes);
      twin.entry({ name }, bytes);
    }
    zip.end();
    packed.finalize();
    twin.finalize();
    await pipeline(zip.outputStream, createWriteStream(path('evidence.zip')));
    await pipeline(packed, createGzip(), createWriteStream(path('evidence.tgz')));
    await pipeline(twin, createWriteStream(path('evidence.tar')));
    for (const name of ['evidence.zip', 'evidence.tgz', 'evidence.tar']) {
      const result = await ingestInto(path(`of-${name}`), [path(name)]);
      expect(sums(result)).toEqual({ in: total, stored: total, ...none });
      expect(await differences(path(`of-${name}`), plain)).toEqual(same);
    }
  });

  test('a second time is known by its ledger, and moved or compressed anew by its content', async () => {
    const store = path('twice');
    await ingestInto(store, [archive]);
    const again = await ingestInto(store, [archive]);
    expect([again.files.known, again.records.in, again.span]).toMatchObject([FILES, 0, { fromMs: START }]);
    const moved = path('moved');
    mkdirSync(moved);
    for (const name of readdirSync(archive))
      writeFileSync(join(moved, basename(name, '.gz')), gunzipSync(readFileSync(join(archive, name))));
    const copied = await ingestInto(store, [moved]);
    expect([copied.files.copies, sums(copied)]).toEqual([FILES, { in: total, stored: 0, ...none, duplicate: total }]);
    await expectBalanced(store);
    expect(await differences(store, plain)).toEqual(same);
  });

  test('with 30% of its records repeated elsewhere and some forged gives the same rows in every order', async () => {
    const dirs = ['forward', 'backward'].map((name) => path(name));
    const repeated = Array.from({ length: FILES * RECORDS }, (_, number) => number).filter((number) => number % 10 < 3);
    const forged = [5, 77, 400];
    for (const [at, dir] of dirs.entries()) {
      mkdirSync(dir);
      const name = (file: number): string =>
        join(dir, `${String(at === 0 ? file : 100 - file).padStart(3, '0')}.json.gz`);
      for (let file = 0; file < FILES; file++) write(name(file), records(file));
      write(
        name(40),
        repeated.slice(0, 100).map((number) => record(number)),
      );
      write(name(50), [
        ...repeated.slice(100).map((number) => record(number)),
        ...forged.map((number) => record(number, { eventName: 'DeleteObject' })),
      ]);
    }
    const results = await Promise.all(dirs.map((dir) => ingestInto(`${dir}-store`, [dir])));
    for (const result of results) {
      expect(sums(result)).toEqual({
        in: total + repeated.length + 3,
        stored: total + 3,
        ...none,
        duplicate: repeated.length,
        id_conflicts: 3,
      });
    }
    expect(await differences(`${dirs[0]}-store`, `${dirs[1]}-store`)).toEqual({ onlyA: 0, onlyB: 0, rows: total + 3 });
    await expectBalanced(`${dirs[0]}-store`);
  });
});

describe('records without an id', () => {
  test('are never merged, except where a whole content comes again', async () => {
    const { eventID: _, ...anonymous } = record(1);
    const dir = path('anonymous');
    mkdirSync(dir);
    write(join(dir, 'a.json.gz'), [anonymous, anonymous]);
    write(join(dir, 'b.json.gz'), [anonymous, anonymous, anonymous]);
    copyFileSync(join(dir, 'a.json.gz'), join(dir, 'c.json.gz'));
    const result = await ingestInto(path('anonymous-store'), [dir]);
    expect([result.files.copies, sums(result)]).toEqual([1, { in: 7, stored: 5, ...none, duplicate: 2 }]);
  });
});

describe('damage', () => {
  test('costs what lies behind it; the whole file later adds only what was missing', async () => {
    const dir = path('damaged');
    const store = path('damaged-store');
    mkdirSync(dir);
    const whole = gzipSync(JSON.stringify({ Records: records(0) }), { level: 0 });
    writeFileSync(join(dir, 'cut.json.gz'), whole.subarray(0, Math.floor(whole.length / 2)));
    write(join(dir, 'good.json.gz'), records(1));
    const first = await ingestInto(store, [dir]);
    expect([first.files.done, first.files.damaged, first.records.rejected]).toEqual([1, 1, 1]);
    expect(first.records.stored).toBeGreaterThan(RECORDS + 10);
    expect(first.warnings).toEqual([{ reason: 'gzip-truncated', count: 1, example: join(dir, 'cut.json.gz') }]);
    writeFileSync(join(dir, 'cut.json.gz'), whole);
    const second = await ingestInto(store, [dir]);
    const missing = 2 * RECORDS - first.records.stored;
    expect(sums(second)).toEqual({ in: RECORDS, stored: missing, ...none, duplicate: RECORDS - missing });
    await expectBalanced(store);
  });

  test('of a zip member that is no gzip is told by the checksum in the zip, and its records are kept', async () => {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from(JSON.stringify({ Records: records(3) })), 'stored.json', { compress: false });
    zip.addBuffer(Buffer.from(JSON.stringify({ Records: records(4) })), 'deflated.json');
    zip.addBuffer(Buffer.from(JSON.stringify({ Records: records(5) })), 'good.json');
    zip.end();
    const file = path('changed.zip');
    await pipeline(zip.outputStream, createWriteStream(file));
    const bytes = readFileSync(file);
    // One letter of a stored record, and the checksum that the directory states of a deflated one.
    bytes.write('GetObjekt', bytes.indexOf('GetObject'));
    bytes.writeUInt32LE(0, bytes.indexOf('deflated.json', bytes.indexOf('deflated.json') + 1) - 46 + 16);
    writeFileSync(file, bytes);
    const result = await ingestInto(path('changed-store'), [file]);
    expect(sums(result)).toEqual({ in: 3 * RECORDS + 2, stored: 3 * RECORDS, ...none, rejected: 2 });
    expect([result.files.done, result.files.damaged]).toEqual([1, 2]);
    expect(result.warnings).toEqual([
      { reason: 'zip-checksum', count: 2, example: expect.stringContaining('changed.zip!') },
    ]);
    await expectBalanced(path('changed-store'));
  });

  test('of one record, of a whole file, or of every file leaves the others as they are', async () => {
    const dir = path('broken');
    mkdirSync(dir);
    const good = records(2).map((one) => JSON.stringify(one));
    writeFileSync(join(dir, 'one.json'), `{"Records":[${good[0]},{"eventVersion":"1.09","eventName":tru},${good[1]}]}`);
    writeFileSync(join(dir, 'noise.gz'), Buffer.from('this is not gzip'));
    writeFileSync(join(dir, 'empty.json.gz'), '');
    writeFileSync(join(dir, "na'me\n.json"), `[${good[2]}]`);
    const result = await ingestInto(path('broken-store'), [dir]);
    expect(sums(result)).toEqual({ in: 6, stored: 3, ...none, rejected: 3 });
    expect(new Set(result.warnings.map(({ reason }) => reason))).toEqual(
      new Set(['json-invalid', 'not-cloudtrail', 'empty-file']),
    );
    expect(result.problems).toEqual([]);
    await expectBalanced(path('broken-store'));
  });
});

describe('a column with few values', () => {
  // At 256 values DuckDB changes the width of an enumeration: read with the wrong one, rows would show memory that is not theirs.
  test.each([1, 254, 255, 256, 257, 1000])('keeps each of %i values in its row', async (count) => {
    const agent = (number: number): string => `agent number ${number % count} of the many that call`;
    const file = path(`agents-${count}.json`);
    const all = Array.from({ length: 8000 }, (_, number) =>
      record(number % total, { eventID: uuid(number), userAgent: agent(number) }),
    );
    writeFileSync(file, JSON.stringify({ Records: all }));
    const store = path(`agents-${count}`);
    await ingestInto(store, [file]);
    const wrong = await query(
      store,
      `SELECT count(*) FROM events WHERE user_agent <> 'agent number ' || (record_no % ${count}) || ' of the many that call'`,
    );
    expect(wrong).toEqual([[0n]]);
  });
});

describe('a log file larger than a window', () => {
  const limits = { windowBytes: 2 * 1024 * 1024, recordBytes: 1024 * 1024 };
  const many = Array.from({ length: 60_000 }, (_, index) =>
    record(index % total, { eventID: uuid(1_000_000 + index) }),
  );

  test('is stored whole and once, over many windows', async () => {
    const file = path('large.json');
    writeFileSync(file, JSON.stringify({ Records: many }));
    const store = path('large-store');
    expect(sums(await ingestInto(store, [file], { limits }))).toEqual({
      in: many.length,
      stored: many.length,
      ...none,
    });
    writeFileSync(path('large-copy.json.gz'), gzipSync(readFileSync(file)));
    const copy = await ingestInto(store, [path('large-copy.json.gz')], { limits });
    expect([copy.files.copies, sums(copy)]).toEqual([
      1,
      { in: many.length, stored: 0, ...none, duplicate: many.length },
    ]);
    await expectBalanced(store);
  });

  test('is not committed in part when the run is stopped in the middle of it', async () => {
    const file = path('stopped.json');
    writeFileSync(file, JSON.stringify({ Records: many }));
    const stop = new AbortController();
    const running = ingestInto(path('stopped-store'), [file], { limits, signal: stop.signal, workers: 1 });
    setTimeout(() => stop.abort(), 700);
    const result = await running;
    expect([0, many.length]).toContain(result.records.stored);
    const completed = await ingestInto(path('stopped-store'), [file], { limits });
    expect(result.records.stored + completed.records.stored).toBe(many.length);
    await expectBalanced(path('stopped-store'));
  });
});

describe('standard input', () => {
  test('of lines is stored like files', async () => {
    const { Readable } = await import('node:stream');
    const lines = Array.from({ length: total }, (_, number) => `${JSON.stringify(record(number))}\n`);
    const result = await ingestInto(path('stdin-store'), ['-'], {
      stdin: Readable.from(lines.map((line) => Buffer.from(line))),
    });
    expect(sums(result)).toEqual({ in: total, stored: total, ...none });
    expect(await differences(path('stdin-store'), plain)).toEqual(same);
  });
});
