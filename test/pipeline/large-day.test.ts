/** A stored day that is too large to be read at once: what comes again, what is new, and what is forged is told apart as on any other. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingestInto } from '../support/ingest.ts';

/** More than are read at once with all that is compared: store/stored-days.ts. */
const STORED = 100_500;
const PER_FILE = 5000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-large-day-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Ids that are no UUIDs in lower case are known by their text. */
const idOf = (number: number): string => {
  const id = `${number.toString(16).padStart(8, '0')}-aaaa-4000-8000-00000000000a`;
  return number % 1000 === 7 ? id.toUpperCase() : number % 1000 === 8 ? `plain ${number}` : id;
};
const record = (number: number, eventName = 'GetObject'): object => ({
  eventVersion: '1.09',
  userIdentity: { type: 'AWSService', invokedBy: 'x.amazonaws.com' },
  eventTime: '2026-01-01T10:00:00Z',
  eventSource: 's3.amazonaws.com',
  eventName,
  awsRegion: 'us-east-1',
  eventID: idOf(number),
});

function archive(name: string, records: readonly object[]): string {
  const dir = join(folder, name);
  mkdirSync(dir);
  for (let from = 0; from < records.length; from += PER_FILE) {
    const text = JSON.stringify({ Records: records.slice(from, from + PER_FILE) });
    writeFileSync(join(dir, `${from}.json.gz`), gzipSync(text, { level: 1 }));
  }
  return dir;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

test('new events, the same ones in other files, and forged ones', { timeout: 120_000 }, async () => {
  const store = join(folder, 'store');
  const first = await ingestInto(store, [
    archive(
      'first',
      numbers(0, STORED).map((number) => record(number)),
    ),
  ]);
  expect(first.records).toMatchObject({ in: STORED, stored: STORED, duplicate: 0 });

  const fresh = await ingestInto(store, [
    archive(
      'new',
      numbers(200_000, 206_000).map((number) => record(number)),
    ),
  ]);
  expect(fresh.records).toMatchObject({ in: 6000, stored: 6000, duplicate: 0, id_conflicts: 0 });

  const forged = [7, 8, 9].map((number) => record(number, 'DeleteObject'));
  const again = [...numbers(210_000, 216_000), ...numbers(500, 5500), ...numbers(200_000, 200_100)];
  const third = await ingestInto(store, [archive('third', [...again.map((number) => record(number)), ...forged])]);
  expect(third.records).toMatchObject({ in: 11_103, stored: 6003, duplicate: 5100, id_conflicts: 3 });
});
