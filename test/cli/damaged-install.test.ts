/** An install of which a file is missing or cut off: the run says so and ends, with its threads, in the way that every failure does. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newFolder, trailhound } from './run.ts';

const SAMPLES = resolve('sample-logs');
const CUT_BYTES = 500;
/** A thread that ended by force while its engine started would abort the process only now and then. */
const RUNS = 4;

const folder = newFolder();
const install = join(folder, 'install');
const main = join(install, 'dist/src/cli/main.js');

beforeAll(() => {
  mkdirSync(install);
  for (const name of ['dist', 'package.json']) cpSync(name, join(install, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(install, 'node_modules'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const ingest = (store: string) => trailhound(['ingest', SAMPLES, '--store', store], { cwd: folder, main });

describe.each(['src/formats/json-scanner.wasm', 'src/formats/cloudtrail.js', 'src/cli/worker.js'])('%s', (name) => {
  test.each([
    ['missing', (file: string) => rmSync(file)],
    ['cut off', (file: string) => truncateSync(file, CUT_BYTES)],
  ])('%s', async (_, damage) => {
    const file = join(install, 'dist', name);
    damage(file);
    try {
      for (let round = 0; round < RUNS; round++) {
        const { status, stdout, stderr } = await ingest(join(folder, `store-${round}`));
        expect({ status, stdout }, stderr).toEqual({ status: 4, stdout: '' });
        expect(stderr).toMatch(
          /^error: cannot load (a worker thread|the decoder of \w+|json-scanner[.]wasm): .*\nA file of trailhound is missing or damaged: install it again\.\n$/,
        );
      }
    } finally {
      cpSync(join('dist', name), file);
    }
  });

  test('whole again goes on where nothing was stored', async () => {
    const { status, stderr } = await ingest(join(folder, 'store-0'));
    expect(status, stderr).toBe(0);
    rmSync(join(folder, 'store-0'), { recursive: true });
  });
});

test('a scanner with one wrong bit decodes nothing', async () => {
  const file = join(install, 'dist/src/formats/json-scanner.wasm');
  const bytes = readFileSync(file);
  const place = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  writeFileSync(file, bytes);
  const { status, stderr } = await ingest(join(folder, 'store-0'));
  cpSync('dist/src/formats/json-scanner.wasm', file);
  expect(status, stderr).toBe(4);
  expect(stderr).toMatch(/cannot load json-scanner[.]wasm: it is not what was built/);
});
