/** Results of log files, packed for their way out of a thread, come out as they were. */
import { expect, test } from 'vitest';
import type { WorkItem } from '../../src/ingest.ts';
import { type OpenFile, openFile, resultOf } from '../../src/pipeline/open-file.ts';
import { packResults, unpackResults } from '../../src/pipeline/packed-results.ts';

const item = (logFile: number): WorkItem => ({
  logFile,
  key: `log-${logFile}`,
  deliveredDay: 20_000,
  sizeBytes: 10,
  content: { type: 'port' },
});
const file = (logFile: number, change: Partial<OpenFile> = {}): OpenFile => ({
  ...openFile(item(logFile)),
  sha256: String(logFile).padStart(64, '0'),
  uncompressedBytes: 7000 + logFile,
  rows: 5,
  duplicate: 1,
  conflicts: 2,
  withoutTime: 1,
  minMicros: 1_767_225_600_123_456,
  maxMicros: 1_767_225_600_123_457,
  ...change,
});

test('ordinary ones, and each that has more to tell', () => {
  const files = [
    file(1),
    file(2, { rejected: 2, rejectReasons: { 'json-invalid': 2 } }),
    file(3, { minMicros: Number.POSITIVE_INFINITY, maxMicros: Number.NEGATIVE_INFINITY, rows: 0, duplicate: 0 }),
    file(4, { status: 'failed', sha256: null, error: 'cannot read log-4' }),
    file(5, { kind: 'digest' }),
    file(6, { copyOf: { id: 1, records: 5, kind: 'log', minTimeMs: 1, maxTimeMs: 2 } }),
    file(7, { status: 'damaged', error: 'truncated' }),
    file(2 ** 33),
  ];
  const packed = packResults(files);
  expect(packed.others.map(({ logFile }) => logFile)).toEqual([2, 4, 5, 6, 7]);
  const identity = (logFile: number) => ({ key: `log-${logFile}`, sizeBytes: logFile, version: 'v' });
  const byNumber = (a: { logFile: number }, b: { logFile: number }): number => a.logFile - b.logFile;
  expect([...unpackResults(packed, identity)].sort(byNumber)).toEqual(
    files.map((one) => ({ ...resultOf(one), file: identity(one.item.logFile) })).sort(byNumber),
  );
});

test('no files at all', () => {
  expect(unpackResults(packResults([]), () => ({ key: '', sizeBytes: 0, version: '' }))).toEqual([]);
});
