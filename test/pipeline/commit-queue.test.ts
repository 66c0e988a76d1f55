/** A unit becomes visible only with those that hold the first copies of its duplicates. */
import { describe, expect, test } from 'vitest';
import type { CommitUnit } from '../../src/ingest.ts';
import { CommitQueue } from '../../src/pipeline/commit-queue.ts';

const unit: CommitUnit = { files: [], segments: [], conflicts: [], rejectFiles: [] };
const unitOf = (...logFiles: number[]): CommitUnit => ({
  ...unit,
  files: logFiles.map((logFile) => ({
    logFile,
    file: { key: `${logFile}.json`, sizeBytes: 1, version: '1' },
    status: 'done',
    kind: 'log',
    sha256: null,
    copyOf: null,
    uncompressedBytes: 1,
    records: { in: 0, stored: 0, duplicate: 0, rejected: 0, id_conflicts: 0, without_time: 0 },
    minTimeMs: null,
    maxTimeMs: null,
    rejectReasons: {},
    error: null,
  })),
});
const numbers = (queue: CommitQueue): number[] => queue.takeComplete().map(([number]) => number);

describe('CommitQueue', () => {
  test('holds a unit back until what it depends on is ready, and then gives both', () => {
    const queue = new CommitQueue();
    queue.dependsOn(2, [1]);
    queue.ready(2, unit);
    expect(numbers(queue)).toEqual([]);
    queue.ready(1, unit);
    expect(numbers(queue)).toEqual([2, 1]);
    expect(numbers(queue)).toEqual([]);
  });

  test('gives units that wait for each other together', () => {
    const queue = new CommitQueue();
    queue.dependsOn(1, [2]);
    queue.dependsOn(2, [1, 3]);
    queue.ready(1, unit);
    queue.ready(2, unit);
    expect(numbers(queue)).toEqual([]);
    queue.ready(3, unit);
    expect(new Set(numbers(queue))).toEqual(new Set([1, 2, 3]));
  });

  test('does not wait for what is committed', () => {
    const queue = new CommitQueue();
    queue.ready(1, unit);
    expect(numbers(queue)).toEqual([1]);
    queue.committed(1, unit);
    queue.dependsOn(2, [1]);
    queue.ready(2, unit);
    expect(numbers(queue)).toEqual([2]);
  });

  test('holds copies back until the log files that they are copies of are ready, in whichever unit', () => {
    const queue = new CommitQueue();
    queue.ready(2, unitOf(20), [10, 11]);
    queue.ready(1, unitOf(10));
    expect(numbers(queue)).toEqual([1]);
    queue.committed(1, unitOf(10));
    expect(numbers(queue)).toEqual([]);
    queue.ready(3, unitOf(11), [20]);
    expect(new Set(numbers(queue))).toEqual(new Set([2, 3]));
  });

  test('does not wait for a copy of its own', () => {
    const queue = new CommitQueue();
    queue.ready(1, unitOf(10, 11), [10]);
    expect(numbers(queue)).toEqual([1]);
  });
});
