/** A disk that fills up while the store is written: a clear end, nothing lost, and the next run completes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/store.ts';
import { MAIN } from '../cli/run.ts';
import { ingestInto } from '../support/ingest.ts';
import { differences } from '../support/stores.ts';

const FILES = 24;
const RECORDS = 1000;

let folder: string;
let archive: string;
let plain: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-disk-'));
  archive = join(folder, 'archive');
  plain = join(folder, 'plain');
  mkdirSync(archive);
  for (let file = 0; file < FILES; file++) {
    const records = Array.from({ length: RECORDS }, (_, index) => ({
      eventVersion: '1.09',
      eventTime: new Date(Date.UTC(2026, 0, 1 + (file % 3), 0, 0, index)).toISOString(),
      eventSource: 's3.amazonaws.com',
      eventName: 'GetObject',
      // Nothing that Parquet could make small.
      requestParameters: { key: randomBytes(60).toString('base64') },
      recipientAccountId: '111122223333',
      eventID: randomUUID(),
    }));
    writeFileSync(join(archive, `${file}.json.gz`), gzipSync(JSON.stringify({ Records: records }), { level: 1 }));
  }
  await ingestInto(plain, [archive]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In a process of its own, in which no file may become larger than so many blocks of 512 bytes. */
function run(
  args: readonly string[],
  blocks: number | 'unlimited' = 'unlimited',
): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, MAIN, ...args],
    { cwd: folder, encoding: 'utf8' },
  );
  return { status, stderr };
}

async function expectWhole(store: string): Promise<void> {
  const opened = await openStore(store);
  const { balanced, records } = await opened.status();
  await opened.close();
  expect([balanced, records.stored, readdirSync(join(store, 'staging'))]).toEqual([true, FILES * RECORDS, []]);
  expect(await differences(store, plain)).toEqual({ onlyA: 0, onlyB: 0, rows: FILES * RECORDS });
}

const mount = (path: string, options: string): number | null =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status;

function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'trailhound-mount-'));
  const mounted = mount(path, 'size=16k') === 0;
  if (mounted) execFileSync('umount', [path]);
  rmSync(path, { recursive: true });
  return mounted;
}

/** A disk whose size can be set, gone when the test ends. */
function smallDisk(): { readonly path: string; resize(kib: number): void } {
  const path = mkdtempSync(join(folder, 'disk-'));
  mount(path, 'size=16k');
  onTestFinished(() => {
    execFileSync('umount', [path]);
  });
  return { path, resize: (kib) => void mount(path, `remount,size=${kib}k`) };
}

function fill(disk: string): void {
  const file = openSync(join(disk, 'filler'), 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

const mounts = canMount();

describe.skipIf(!mounts)(
  `a disk that is full${mounts ? '' : ' (NOT TESTED: a small disk can only be mounted by root)'}`,
  () => {
    // While the catalog is made, the lease is taken, the first segment is written, and a part was committed.
    test.each([8, 16, 24, 1700])(
      'after %i KiB ends the run with 3, and with room the next one completes',
      async (kib) => {
        const disk = smallDisk();
        disk.resize(kib);
        const store = join(disk.path, 'store');
        const full = run(['ingest', archive, '--store', store]);
        expect(full).toEqual({
          status: 3,
          stderr: expect.stringMatching(
            /^error: cannot .*: the disk is full\nFree some space and run the command again/,
          ),
        });
        disk.resize(100_000);
        expect(run(['ingest', archive, '--store', store])).toMatchObject({ status: 0 });
        await expectWhole(store);
      },
    );

    test('lets a compaction and a question end with 3 and leave nothing half-written', () => {
      const disk = smallDisk();
      disk.resize(100_000);
      const store = join(disk.path, 'store');
      run(['ingest', archive, '--store', store]);
      fill(disk.path);
      const outcomes = [
        run(['store', 'compact', '--store', store]),
        run(['sql', 'SELECT count(*) FROM log_file', '--store', store]),
      ];
      expect(outcomes).toEqual(
        outcomes.map(() => ({ status: 3, stderr: expect.stringMatching(/the disk is full\nFree some space/) })),
      );
      expect(readdirSync(join(store, 'staging'))).toEqual([]);
    });
  },
);

describe('a limit on the size of files', () => {
  test.each([20, 200])('of %i blocks ends the run with 3, and without it the next one completes', async (blocks) => {
    const store = join(folder, `limited-${blocks}`);
    expect(run(['ingest', archive, '--store', store], blocks)).toEqual({
      status: 3,
      stderr: expect.stringMatching(/^error: cannot .*: its files may not become that large\nRaise the limit on/),
    });
    expect(run(['ingest', archive, '--store', store])).toMatchObject({ status: 0 });
    await expectWhole(store);
  });
});
