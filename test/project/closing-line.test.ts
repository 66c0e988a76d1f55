/** The reporter's closing line, which CI reads. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'trailhound-closing-'));
afterAll(() => rmSync(project, { recursive: true }));
symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'), 'dir');

test.for<[name: string, closing: string, text: string]>([
  ['two that pass', '2 passed, 0 failed', "test('a', () => {}); test('b', () => {});"],
  [
    'one of each kind',
    '1 passed, 1 failed, 1 skipped',
    "test('a', () => {}); test('b', () => { throw new Error('no'); }); test.skip('c', () => {});",
  ],
  ['a file that does not load', '0 passed, 1 failed', "throw new Error('no');"],
  [
    'a rejection that nobody handles',
    '1 passed, 1 failed',
    "test('a', async () => { void Promise.reject(new Error('no')); await new Promise((done) => setTimeout(done, 20)); });",
  ],
])('%s end with %s', ([, closing, text]) => {
  writeFileSync(join(project, 'one.test.ts'), `import { test } from 'vitest';\n${text}\n`);
  const reporter = join(root, 'test/closing-line.ts');
  const { stdout, status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--root',
      project,
      '--reporter',
      'default',
      '--reporter',
      reporter,
    ],
    { cwd: project, encoding: 'utf8' },
  );
  expect({ closing: stdout.trimEnd().split('\n').at(-1), fails: status !== 0 }).toEqual({
    closing,
    fails: !closing.includes(' 0 failed'),
  });
});
